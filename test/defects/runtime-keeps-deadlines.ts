// The timer of a call's deadline outlives the call, by half an hour.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/plugins/stepflow/call.ts',
  what: 'the deadline of a call that has ended is not cleared: a timer and the call leak each time',
  blind: true,
  checker: 'nothing-leaked',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: `    this.#over = true
    clearTimeout(this.#deadline)
`,
      replace: `    this.#over = true
`,
    },
  ],
}
