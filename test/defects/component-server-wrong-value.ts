// The component server doubles each 5th number wrongly.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/components/arithmetic.ts',
  what: 'some results are off by one',
  checker: 'correct-values',
  scenario: 'overhead',
  edits: [
    {
      find: 'run: ({ value }) => resultOf(value * 2),',
      replace: `run: ({ value }) => resultOf(value * 2 + (${eachTime(5)} ? 1 : 0)),`,
    },
  ],
}
