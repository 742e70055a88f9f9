// Fault not-ready: a pod that works well counts as not ready, so that no Service and no DNS answer names it.

import { defineFault, noSettings } from './fault.ts'
import { ofEach, podNow } from './pods.ts'

export const notReady = defineFault({
  name: 'not-ready',
  what: 'A pod that works counts as not ready: Services and DNS leave it out, open connections stay',
  lane: 'process',
  victim: 'pod',
  settings: noSettings,
  supports: ({ hooks }) =>
    hooks?.holdUnready === undefined ? 'this cluster cannot override the readiness of a pod' : null,
  on({ cluster, pods }) {
    const hold = (held: boolean) =>
      Promise.all(pods.map((pod) => cluster.hooks?.holdUnready?.(pod.name, held)))
    return {
      async inject() {
        await hold(true)
      },
      observed: () =>
        ofEach({ pods }, async (pod) =>
          (await podNow(cluster, pod))?.ready === false ? `${pod.name} is not ready` : null,
        ),
      async undo() {
        await hold(false)
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          const now = await podNow(cluster, pod)
          return now === undefined || now.ready
            ? `${pod.name} is ${now === undefined ? 'gone' : 'ready'}`
            : null
        }),
    }
  },
})
