// The runtime replies to callbacks without saying to which pod.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/runtime/plugins/stepflow/call.ts',
  what: 'replies to callbacks carry no instance id',
  checker: 'affinity',
  scenario: 'smoke',
  edits: [
    {
      find: 'body, this.#pod ?? null, this.#traceHead',
      replace: 'body, null, this.#traceHead',
    },
  ],
}
