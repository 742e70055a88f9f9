// The defects that CI tries on every commit: some of each program and of the harness, by different checkers, in quick
// scenarios. All of them take minutes; `npm run sensitivity` without --slice has them.

import type { DefectName } from '../defects/index.ts'

export const slice: readonly DefectName[] = [
  'balancer-ignores-instance-id',
  'balancer-keeps-count-of-broken',
  'component-server-executes-twice',
  'component-server-forgets-records',
  'runtime-swaps-results',
  'runtime-records-result-twice',
  'runtime-numbers-by-completion',
  'harness-checker-asleep',
  'harness-report-hides-failures',
  'harness-lies-about-lag',
]
