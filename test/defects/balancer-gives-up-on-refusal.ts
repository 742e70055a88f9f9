// The balancer fails a call whose pod refuses the connection, though another pod could take it.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'calls that a dead pod refused are not sent elsewhere',
  checker: 'blast-radius',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: 'const next = this.#tried.length < limits.maxAttempts ? pods.pick(this.#tried) : null',
      replace: 'const next = limits.maxAttempts === 0 ? pods.pick(this.#tried) : null',
    },
  ],
}
