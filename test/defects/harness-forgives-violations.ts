// A checker that found violations says pass.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'chaos/checkers/checker.ts',
  what: 'violations count for nothing',
  checker: 'judges-awake',
  scenario: 'smoke',
  edits: [
    {
      find: '  if (violations > 0) {',
      replace: '  if (violations > 1e9) {',
    },
  ],
}
