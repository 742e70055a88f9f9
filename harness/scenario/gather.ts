// Gathers what all witnesses recorded of one trial, and what the report shows of the pods.

import type { Cluster } from '../../contracts/cluster.ts'
import type { History } from '../../contracts/history.ts'
import type { AffinityMatrix, PodActivity } from '../../contracts/results.ts'
import {
  affinityMatrix,
  between,
  createHistoryCollector,
  type HarnessRecord,
  type HistoryCollector,
  podActivity,
} from '../history/index.ts'

export interface Gathered {
  readonly history: History
  readonly pods: readonly PodActivity[]
  readonly affinity: AffinityMatrix
}

/** One a session: what was read for one trial is not parsed again for the next. */
export interface Gatherer {
  gather(trial: {
    readonly cluster: Cluster
    readonly clientFiles: readonly string[]
    readonly events: readonly HarnessRecord[]
    /** µs: the trial's start. */
    readonly from: number
    /** µs: later records are left out, for others of that time may not have been read. */
    readonly until: number
  }): Promise<Gathered>
}

export function createGatherer(collector: HistoryCollector = createHistoryCollector()): Gatherer {
  const events = new Set<HarnessRecord>()
  return {
    async gather(trial) {
      for (const event of trial.events) events.add(event)
      const whole = await collector.collect({
        cluster: trial.cluster,
        clientFiles: trial.clientFiles,
        harness: [...events],
      })
      const history = between(whole, trial.from, trial.until)
      return { history, pods: podActivity(history, trial.from), affinity: affinityMatrix(history) }
    },
  }
}
