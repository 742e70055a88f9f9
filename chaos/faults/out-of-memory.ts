// Fault out-of-memory: the program's next allocation fails, so that it dies in the middle of its work and starts again.

import type { Kill } from '../checkers/index.ts'
import { defineFault, monotonicUs, noSettings } from './fault.ts'
import { addressSpace, limitsSupport, setSoftLimit } from './limits.ts'
import { answersIn, isGone, ofEach, podNow, processIds } from './pods.ts'

export const outOfMemory = defineFault({
  name: 'out-of-memory',
  what: 'The program runs out of memory at its next allocation, dies and starts again',
  lane: 'resources',
  victim: 'pod',
  landsWithinMs: 40_000,
  settings: noSettings,
  supports: limitsSupport,
  on(target) {
    const { cluster, pods } = target
    let pids: readonly number[] = []
    let at = 0
    let goneAt = 0
    return {
      async inject() {
        pids = await processIds(target)
        at = monotonicUs()
        // Below what it has: nothing is taken from it, and nothing more is given.
        for (const pid of pids) await setSoftLimit(pid, 'as', addressSpace(pid) / 2)
      },
      observed: () =>
        ofEach({ pods }, async (pod) => {
          const now = await podNow(cluster, pod)
          if (pids.every(isGone)) goneAt ||= monotonicUs()
          if (now !== undefined && now.restarts > pod.restarts) return `${pod.name} died and started again`
          // Something to allocate for.
          await answersIn(`${cluster.podAdminUrl(pod)}/metrics`, 300)
          return null
        }),
      async undo() {
        for (const pid of pids) await setSoftLimit(pid, 'as', 'unlimited')
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          const now = await podNow(cluster, pod)
          return now === undefined || now.ready
            ? `${pod.name} is ${now === undefined ? 'gone' : 'ready'}`
            : null
        }),
      kills: (): readonly Kill[] =>
        at === 0
          ? []
          : pods.map(({ name, role }) => ({ pod: name, role, at, goneAt: goneAt || monotonicUs() })),
    }
  },
})
