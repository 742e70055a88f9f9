// A request whose connection ended before its answer is sent to another pod (as Stepflow's own), though the first may have run it.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'a POST whose pod closed the connection without an answer is sent again elsewhere',
  checker: 'effects',
  scenario: 'killed-before-answer.yaml',
  edits: [
    {
      find: `    this.#whole = false
    this.#pending = ''
    this.#relay.metrics`,
      replace: '    this.#relay.metrics',
    },
    {
      find: `    const { key } = this.#pod!
    this.#relay.watcher.onFault(key, 'reset')
`,
      replace: `    const { key } = this.#pod!
    if (this.#answer === null && this.#head.instanceId === null && this.#body === null) {
      this.#dropUpstream()
      this.onConnectFailed('reset')
      return
    }
    this.#relay.watcher.onFault(key, 'reset')
`,
    },
  ],
}
