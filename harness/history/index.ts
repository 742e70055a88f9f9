// History: what all witnesses recorded, collected, merged and measured.

export {
  createHistoryCollector,
  type HarnessRecord,
  type HistoryCollector,
  type HistorySources,
} from './collect.ts'
export { between, mergeHistory } from './merge.ts'
export { parseHistory } from './parse.ts'
