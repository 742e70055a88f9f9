// The runtime reads each 5th callback and never answers it.

import { type Defect, eachTime } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/plugins/stepflow/call.ts',
  what: 'some callbacks are never answered',
  checker: 'none-hangs',
  scenario: 'smoke',
  edits: [
    {
      find: '    if (this.#givenUp) return\n',
      replace: `    if (this.#givenUp || ${eachTime(5)}) return\n`,
    },
  ],
}
