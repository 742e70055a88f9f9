// A component server never counts a stream as closed.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/calls.ts',
  what: 'the count of open streams only grows',
  checker: 'nothing-leaked',
  scenario: 'smoke',
  edits: [
    {
      find: `      streamsOpen--
`,
      replace: '',
    },
  ],
}
