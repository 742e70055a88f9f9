// Fault process-killed: the pod's program is ended in place, by SIGKILL or SIGTERM, and starts again at its address.

import { Type } from '@sinclair/typebox'
import type { Kill } from '../checkers/index.ts'
import { defineFault, monotonicUs } from './fault.ts'
import { ofEach, podNow } from './pods.ts'

export const processKilled = defineFault({
  name: 'process-killed',
  what: "The pod's program is ended in place and starts again at the same address",
  lane: 'process',
  victim: 'pod',
  landsWithinMs: 40_000,
  settings: Type.Object(
    {
      signal: Type.Union([Type.Literal('SIGKILL'), Type.Literal('SIGTERM')], {
        default: 'SIGKILL',
        description: 'SIGTERM lets it end what it has open, though callers were not told to go elsewhere',
      }),
    },
    { additionalProperties: false },
  ),
  supports: () => null,
  on({ cluster, pods }, { signal }) {
    const kills: Kill[] = []
    return {
      async inject() {
        for (const pod of pods) {
          const at = monotonicUs()
          await cluster.signalPod(pod.name, signal)
          kills.push({ pod: pod.name, role: pod.role, at, goneAt: at + 250_000 })
        }
      },
      observed: () =>
        ofEach({ pods }, async (pod) => {
          const now = await podNow(cluster, pod)
          return now !== undefined && now.restarts > pod.restarts ? `started again (${now.restarts})` : null
        }),
      async undo() {},
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          const now = await podNow(cluster, pod)
          return now?.ready === true && now.restarts > pod.restarts ? `${pod.name} is ready again` : null
        }),
      kills: () => kills,
    }
  },
})
