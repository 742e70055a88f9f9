// The balancer never forgets at which address an instance was (as Stepflow's own).

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/pods.ts',
  what: 'replies to an instance that is gone go to the next one at its address',
  checker: 'affinity',
  scenario: 'restarted-while-replies-are-late.yaml',
  edits: [
    {
      find: `      if (pod.instanceId !== null) this.#byInstance.delete(pod.instanceId)
      if (state`,
      replace: '      if (state',
    },
    {
      find: `    if (pod.instanceId !== null) this.#byInstance.delete(pod.instanceId)
    pod.takesWork`,
      replace: '    pod.takesWork',
    },
  ],
}
