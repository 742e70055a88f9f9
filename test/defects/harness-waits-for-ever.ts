// Nothing is open for so long that it hangs.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'chaos/checkers/checker.ts',
  what: 'no operation ever counts as hanging',
  checker: 'judges-awake',
  scenario: 'smoke',
  edits: [
    {
      find: '  return ownTime(from, context.collectedAt, context) >= context.deadlineUs',
      replace: '  return ownTime(from, context.collectedAt, context) >= context.deadlineUs * 1e9',
    },
  ],
}
