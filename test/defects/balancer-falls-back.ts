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
      find: '      this.#sendTo(holder)\n',
      replace: '      this.#sendTo(holder.takesWork ? holder : (pods.pick(null) ?? holder))\n',
    },
  ],
}
