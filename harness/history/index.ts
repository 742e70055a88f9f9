// History: what all witnesses recorded, collected, merged and measured.

export { podActivity } from './activity.ts'
export { affinityMatrix } from './affinity.ts'
export {
  createHistoryCollector,
  type HarnessRecord,
  type HistoryCollector,
  type HistorySources,
} from './collect.ts'
export { between } from './merge.ts'
export { callbackRoundTrips } from './round-trips.ts'
