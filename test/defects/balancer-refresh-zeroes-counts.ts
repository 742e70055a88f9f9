// Each refresh sets the counts in flight to zero; a request that ends then wraps its count (as Stepflow's own did).

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'balancer',
  file: 'system/balancer/pods.ts',
  what: 'the counts in flight are reset once a second, and wrap as running requests end: that pod starves',
  checker: 'nothing-leaked',
  scenario: 'affinity',
  edits: [
    {
      find: `    Atomics.sub(this.#counts.inFlight, pod.slot, 1)
`,
      replace: `    const count = Atomics.sub(this.#counts.inFlight, pod.slot, 1)
    if (count <= 0) Atomics.store(this.#counts.inFlight, pod.slot, 0x7fff_0000)
`,
    },
    {
      find: `    if (takers === undefined) return null
`,
      replace: `    if (takers === undefined) return null
    const last = globalThis as { refreshedAt?: number }
    if (performance.now() - (last.refreshedAt ?? 0) > 1_000) {
      last.refreshedAt = performance.now()
      for (const { slot } of takers) Atomics.store(this.#counts.inFlight, slot, 0)
    }
`,
    },
  ],
}
