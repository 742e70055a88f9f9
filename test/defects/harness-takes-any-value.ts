// Values count as equal when they have as many members.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'harness/load/json-equal.ts',
  what: 'a wrong value is taken for the right one',
  checker: 'judges-awake',
  scenario: 'smoke',
  edits: [
    {
      find: '    keys.length === Object.keys(b).length &&',
      replace: '    keys.length === Object.keys(b).length ||',
    },
  ],
}
