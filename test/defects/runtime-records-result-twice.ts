// The runtime records each 5th step's result twice.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/executor/run.ts',
  what: 'some step results are recorded twice',
  checker: 'once',
  scenario: 'smoke',
  edits: [
    {
      find: '    this.#record(item, step, outcome, witness)\n    item.ended(step, outcome)\n',
      replace: `    this.#record(item, step, outcome, witness)\n    if (${eachTime(5)}) this.#record(item, step, outcome, witness)\n    item.ended(step, outcome)\n`,
    },
  ],
}
