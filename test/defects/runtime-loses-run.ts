// The runtime forgets to end each 5th run whose items are all done.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/executor/run.ts',
  what: 'some runs never end',
  checker: 'no-run-lost',
  scenario: 'smoke',
  edits: [
    {
      find: '    if (--this.#open === 0) this.#finish()\n',
      replace: `    if (--this.#open === 0 && !${eachTime(5)}) this.#finish()\n`,
    },
  ],
}
