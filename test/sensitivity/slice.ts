// The defects that CI tries on every commit: one of each program and one of the harness, by different checkers, in
// the quickest scenario. All of them take minutes; `npm run sensitivity` without --slice has them.

import type { DefectName } from '../defects/index.ts'

export const slice: readonly DefectName[] = [
  'balancer-ignores-instance-id',
  'component-server-wrong-value',
  'component-server-executes-twice',
  'runtime-swaps-results',
  'runtime-records-result-twice',
  'runtime-miscounts-in-flight',
]
