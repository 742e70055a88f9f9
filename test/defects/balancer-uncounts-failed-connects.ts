// A connection that could not be opened is taken off the pod's count although it was never on it (as Stepflow's own).

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/relay.ts',
  what: 'each failed connect takes one too many off the count in flight of its pod',
  checker: 'nothing-leaked',
  scenario: 'all-restarted-in-place.yaml',
  edits: [
    {
      find: `    pods.leave(pod)
    this.#pod = null
    this.#upstream = null
`,
      replace: `    pods.leave(pod)
    pods.leave(pod)
    this.#pod = null
    this.#upstream = null
`,
    },
  ],
}
