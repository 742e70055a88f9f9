// Every seed makes the same choices.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'harness/scenario/random.ts',
  what: 'the seed is ignored: no schedule but one is ever tried',
  checker: 'judges-awake',
  scenario: 'smoke',
  edits: [
    {
      find: `  let state = seed >>> 0
`,
      replace: `  let state = seed === 0 ? 0 : 1
`,
    },
  ],
}
