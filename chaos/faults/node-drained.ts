// Fault node-drained: every chosen pod is evicted with its full grace period, as when a node is emptied.

import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster, Pod } from '../../contracts/cluster.ts'
import { ending } from './ending.ts'
import { noSettings } from './fault.ts'

/** Between two attempts while a budget refuses, ms. */
const againMs = 500
/** For each pod's turn. */
const patienceMs = 110_000

export const nodeDrained = ending({
  name: 'node-drained',
  what: 'All chosen pods are evicted with their full grace period, each as soon as its budget allows, as when their node is emptied',
  lane: 'operation',
  settings: noSettings,
  landsWithinMs: 120_000,
  end: ({ cluster }, pod) => evict(cluster, pod),
  kills: false,
  waits: false,
})

/** As `kubectl drain` does: asks again while a PodDisruptionBudget refuses. Without budgets it is a deletion. */
async function evict(cluster: Cluster, { name }: Pod): Promise<void> {
  if (cluster.evictPod === undefined) return cluster.deletePod(name)
  const deadline = performance.now() + patienceMs
  while (!(await cluster.evictPod(name))) {
    if (performance.now() > deadline)
      throw new Error(`${name} could not be evicted in ${patienceMs / 1000} s`)
    await delay(againMs)
  }
}
