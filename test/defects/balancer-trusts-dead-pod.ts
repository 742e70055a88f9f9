// The balancer takes no notice of connections that a pod refuses or cuts, and fails the calls it refused.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'a dead pod keeps getting calls, and they fail',
  checker: 'blast-radius',
  scenario: 'kill-mid-sse',
  edits: [
    { find: '    watcher.onFault(pod.key, failure)\n', replace: '' },
    { find: "    this.#relay.watcher.onFault(key, 'reset')\n", replace: '' },
    {
      find: 'if (this.#tried.length < limits.maxAttempts) {',
      replace: 'if (limits.maxAttempts === 0) {',
    },
  ],
}
