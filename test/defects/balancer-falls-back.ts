// The balancer gives a reply to another pod when its own refuses the connection.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'replies whose pod is gone go to another one',
  checker: 'affinity',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: '    watcher.onFault(pod, failure)\n    const { instanceId } = this.#head\n',
      replace: '    watcher.onFault(pod, failure)\n    const instanceId = null as string | null\n',
    },
  ],
}
