// Fault crash-loop: the program is killed each time it starts, until the fault is undone.

import type { Kill } from '../checkers/index.ts'
import { defineFault, monotonicUs, noSettings } from './fault.ts'
import { ofEach, podNow } from './pods.ts'

/** Ends in a row that make a loop. */
const leastRestarts = 2

export const crashLoop = defineFault({
  name: 'crash-loop',
  what: 'The program is killed each time it starts, with a growing pause before the next start',
  lane: 'process',
  victim: 'pod',
  landsWithinMs: 60_000,
  settings: noSettings,
  supports: () => null,
  on({ cluster, pods }) {
    const kills: Kill[] = []
    let unwatch = (): void => {}
    const kill = async (name: string): Promise<void> => {
      const pod = pods.find((one) => one.name === name)
      if (pod === undefined) return
      const at = monotonicUs()
      // Between two starts there is no program to kill.
      const sent = await cluster.signalPod(name, 'SIGKILL').then(
        () => true,
        () => false,
      )
      if (sent) kills.push({ pod: name, role: pod.role, at, goneAt: at + 250_000 })
    }
    return {
      async inject() {
        const restarts = new Map(pods.map((pod) => [pod.name, pod.restarts]))
        unwatch = cluster.watch(({ pod }) => {
          const known = restarts.get(pod.name)
          if (known === undefined || pod.restarts <= known) return
          restarts.set(pod.name, pod.restarts)
          void kill(pod.name)
        })
        for (const pod of pods) await kill(pod.name)
      },
      observed: () =>
        ofEach({ pods }, async (pod) => {
          const now = await podNow(cluster, pod)
          const count = (now?.restarts ?? 0) - pod.restarts
          return count >= leastRestarts && now?.ready === false ? `started ${count} times, not ready` : null
        }),
      async undo() {
        unwatch()
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          const now = await podNow(cluster, pod)
          if (now === undefined) return `${pod.name} is gone`
          return now.ready ? `${pod.name} is ready` : null
        }),
      kills: () => kills,
    }
  },
})
