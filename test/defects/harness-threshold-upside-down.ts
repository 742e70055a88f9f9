// A threshold is met when the figure is on the wrong side of it.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'reports/judge/threshold.ts',
  what: 'at most and at least are exchanged',
  checker: 'judges-awake',
  scenario: 'smoke',
  edits: [
    {
      find: `  return target.comparison === 'at most' ? figure`,
      replace: `  return target.comparison === 'at least' ? figure`,
    },
  ],
}
