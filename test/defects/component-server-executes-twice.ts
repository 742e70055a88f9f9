// The component server executes each 5th call twice and answers once.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/calls.ts',
  what: 'some calls are executed twice',
  checker: 'once',
  scenario: 'overhead',
  edits: [
    {
      find: '        execute(message, head, answer)\n',
      replace: `        execute(message, head, answer)\n        if (${eachTime(5)}) execute(message, head, answer)\n`,
    },
  ],
}
