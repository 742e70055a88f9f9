// The balancer gives a reply whose pod takes no more work to another pod.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'replies to a draining pod go to another one',
  checker: 'affinity',
  scenario: 'affinity',
  edits: [
    {
      find: '      pods.enter(holder)\n      this.#sendTo(holder)\n',
      replace: `      this.#pools = toDefault
      const other = holder.takesWork ? null : this.#pick()
      if (other === null) pods.enter(holder)
      this.#sendTo(other ?? holder)
`,
    },
  ],
}
