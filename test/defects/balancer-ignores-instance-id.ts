// The balancer sends replies to callbacks to whichever pod is next.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'Stepflow-Instance-Id is ignored',
  checker: 'affinity',
  scenario: 'smoke',
  edits: [
    {
      find: '    const { instanceId } = this.#head\n    if (instanceId === null) {\n',
      replace:
        '    const { instanceId } = this.#head\n    if (instanceId === null || instanceId !== null) {\n',
    },
  ],
}
