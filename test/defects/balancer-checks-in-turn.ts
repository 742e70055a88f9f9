// Only slow health checks tell that a pod is dead: refusals and discovery do not (as in Stepflow's own, which checked pods in turn).

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/discovery/directory.ts',
  what: 'a dead pod stays in rotation until its turn to be checked comes, long after',
  checker: 'ejected-in-time',
  scenario: 'kill-mid-sse',
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
    {
      find: '      rising ? risingProbeMs : this.#options.probeIntervalMs,',
      replace: '      rising ? risingProbeMs : 10 * this.#options.probeIntervalMs,',
    },
    {
      find: `      const isListed = pools !== undefined
`,
      replace: `      const isListed = pools !== undefined || watched.listed
`,
    },
  ],
}
