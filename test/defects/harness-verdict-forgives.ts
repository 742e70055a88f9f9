// The verdict of a scenario is PASS although a checker failed.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'reports/judge/verdict.ts',
  what: 'a FAIL among the judgements is passed over',
  checker: 'judges-awake',
  scenario: 'smoke',
  edits: [
    {
      find: `  if (outcomes.includes('fail')) return 'FAIL'
  const proved`,
      replace: '  const proved',
    },
  ],
}
