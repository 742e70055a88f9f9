// What other folders use of the reports: judge, then write.

export { parseResults } from './formats/json.ts'
export { renderTable } from './formats/table.ts'
export { loadTargets, notMeasuredOf, targetNamed } from './judge/targets.ts'
export { judgeThreshold } from './judge/threshold.ts'
export { judgementsOf, suiteVerdict, verdictOf } from './judge/verdict.ts'
export { verifyResults } from './judge/verify.ts'
export { type WrittenReport, writeReport } from './write.ts'
