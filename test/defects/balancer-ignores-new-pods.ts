// The balancer probes the first three pods that it finds, so that no other ever takes work.

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/discovery/directory.ts',
  what: 'a pod that comes later gets no calls',
  checker: 'pod-replaced',
  scenario: 'kill-mid-sse',
  edits: [
    {
      find: '    if (watched.waitingProbes < maxWaitingProbes) void this.#probe(watched)\n',
      replace: `    const shared = globalThis as { defectPods?: Set<unknown> }
    const first = (shared.defectPods ??= new Set())
    if (first.size < 3) first.add(watched)
    if (first.has(watched) && watched.waitingProbes < maxWaitingProbes) void this.#probe(watched)
`,
    },
  ],
}
