// Fault pod-killed: the pod dies at once by SIGKILL and is gone; its role's controller makes another.

import { ending } from './ending.ts'
import { noSettings } from './fault.ts'

export const podKilled = ending({
  name: 'pod-killed',
  what: 'The pod dies at once (SIGKILL) and is replaced by another',
  settings: noSettings,
  end: ({ cluster }, pod) => cluster.deletePod(pod.name, { gracePeriodSeconds: 0 }),
  kills: true,
  waits: true,
})
