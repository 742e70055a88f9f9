// The load generator takes the time of sending for the planned one: coordinated omission.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'harness',
  file: 'harness/load/engines/embedded/generator.ts',
  what: 'latency does not count the time that an arrival waited for the generator',
  checker: 'load-true',
  scenario: 'overhead',
  edits: [
    {
      find: '      if (this.#open.size < this.#plan.maxOpen) this.#send(plannedUs, now)',
      replace: '      if (this.#open.size < this.#plan.maxOpen) this.#send(now, now)',
    },
  ],
}
