// The load generator says that it was ten times less late than it was.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'harness/load/engines/embedded/tally.ts',
  what: 'the generator lies about its lag',
  checker: 'load-true',
  scenario: 'overhead',
  edits: [
    {
      find: '    this.#lag.recordValue(clamp(lagUs))',
      replace: '    this.#lag.recordValue(clamp(lagUs / 10))',
    },
  ],
}
