// Fault node-drained: every chosen pod is evicted at once, with its full grace period, as when a node is emptied.

import { ending } from './ending.ts'
import { noSettings } from './fault.ts'

export const nodeDrained = ending({
  name: 'node-drained',
  what: 'All chosen pods are evicted at once with their full grace period, as when their node is emptied',
  lane: 'operation',
  settings: noSettings,
  end: ({ cluster }, pod) => cluster.deletePod(pod.name),
  kills: false,
  waits: false,
})
