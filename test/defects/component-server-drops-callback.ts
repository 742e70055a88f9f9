// The component server takes each 5th callback for sent without writing it.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'component-server',
  file: 'system/component-server/callbacks.ts',
  what: 'some callbacks are never written',
  checker: 'none-hangs',
  scenario: 'smoke',
  edits: [
    {
      find: '        owner.write(request)\n',
      replace: `        if (!${eachTime(5)}) owner.write(request)\n`,
    },
  ],
}
