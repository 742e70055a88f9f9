// The load generator takes no answer for later than 1 ms.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'harness/load/engines/embedded/generator.ts',
  what: 'latencies over 1 ms are reported as 1 ms',
  checker: 'load-true',
  scenario: 'overhead',
  edits: [
    {
      find: '    this.#tally.end(arrival.plannedUs, at, {',
      replace: '    this.#tally.end(Math.max(arrival.plannedUs, at - 1_000), at, {',
    },
  ],
}
