// The runtime takes no notice of a stream that breaks: neither of its end, nor of the balancer's last event.

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
    {
      find: '      this.#break(breaks.refusedBy(message.error))\n',
      replace: '      if (!this.#stream) this.#break(breaks.refusedBy(message.error))\n',
    },
    {
      find: '    if (delivery.fatal) this.#break(breaks.undelivered(method, delivery))\n',
      replace: '',
    },
  ],
}
