// The balancer thinks nothing of a refused or reset connection: only health checks put a pod out.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/discovery/directory.ts',
  what: 'a pod whose connections fail stays in rotation until its health checks have failed',
  blind: true,
  checker: 'ejected-in-time',
  scenario: 'killed-again-and-again.yaml',
  edits: [
    {
      find: `    if (watched === undefined) return
    this.#take(watched, 'fault', \`connection \${fault}\`)
`,
      replace: `    if (watched !== undefined) return
`,
    },
    {
      find: `    // It may have been one connection only: ask at once.
    if (watched.waitingProbes === 0) this.#probeOnAndOn(watched)
`,
      replace: '',
    },
  ],
}
