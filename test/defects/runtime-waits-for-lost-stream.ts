// The runtime does not notice that a stream has ended without a result.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/plugins/stepflow/call.ts',
  what: 'a call whose stream was cut waits for ever',
  checker: 'blast-radius',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: "      case 'end':\n        this.#break(\n",
      replace: "      case 'end':\n        if (this.#stream) break\n        this.#break(\n",
    },
  ],
}
