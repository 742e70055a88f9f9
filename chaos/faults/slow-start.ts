// Fault slow-start: whatever starts in the role stands still for a while before it goes on; the victims start anew.

import { Type } from '@sinclair/typebox'
import type { Kill } from '../checkers/index.ts'
import { defineFault, monotonicUs } from './fault.ts'
import { ofEach, podNow } from './pods.ts'

export const slowStart = defineFault({
  name: 'slow-start',
  what: 'The program is started again in place, and each start of it takes so much longer',
  lane: 'process',
  victim: 'pod',
  landsWithinMs: 60_000,
  settings: Type.Object(
    {
      delayMs: Type.Integer({
        minimum: 100,
        maximum: 50_000,
        default: 3_000,
        description: 'How much longer a start takes',
      }),
    },
    { additionalProperties: false },
  ),
  supports: () => null,
  on({ cluster, pods }, { delayMs }) {
    const kills: Kill[] = []
    const startedAt = new Map<string, number>()
    const timers = new Map<string, NodeJS.Timeout>()
    let unwatch = (): void => {}
    const goOn = (name: string): void => {
      clearTimeout(timers.get(name))
      timers.delete(name)
      void cluster.signalPod(name, 'SIGCONT').catch(() => {})
    }
    return {
      async inject() {
        const restarts = new Map(pods.map((pod) => [pod.name, pod.restarts]))
        unwatch = cluster.watch(({ pod }) => {
          const known = restarts.get(pod.name)
          if (known === undefined || pod.restarts <= known) return
          restarts.set(pod.name, pod.restarts)
          void cluster.signalPod(pod.name, 'SIGSTOP').then(
            () => {
              startedAt.set(pod.name, performance.now())
              timers.set(
                pod.name,
                setTimeout(() => goOn(pod.name), delayMs),
              )
            },
            () => {},
          )
        })
        for (const pod of pods) {
          const at = monotonicUs()
          await cluster.signalPod(pod.name, 'SIGKILL')
          kills.push({ pod: pod.name, role: pod.role, at, goneAt: at + 250_000 })
        }
      },
      observed: () =>
        ofEach({ pods }, async (pod) => {
          const since = performance.now() - (startedAt.get(pod.name) ?? Number.POSITIVE_INFINITY)
          const now = await podNow(cluster, pod)
          // Seen while it is still held back: an ordinary start would take as long as one on this machine does.
          return since >= delayMs * 0.8 && now?.ready === false
            ? `${pod.name} not ready ${since.toFixed(0)} ms after its start`
            : null
        }),
      async undo() {
        unwatch()
        for (const name of [...timers.keys()]) goOn(name)
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
