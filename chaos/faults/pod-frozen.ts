// Fault pod-frozen: the program stands still (SIGSTOP) with all its connections open: the grey failure.

import { defineFault, noSettings } from './fault.ts'
import { isAlive, ofEach, podNow } from './pods.ts'

export const podFrozen = defineFault({
  name: 'pod-frozen',
  what: 'The program stands still (SIGSTOP) while its connections stay open',
  lane: 'process',
  victim: 'pod',
  settings: noSettings,
  supports: () => null,
  on({ cluster, pods }) {
    return {
      async inject() {
        for (const pod of pods) await cluster.signalPod(pod.name, 'SIGSTOP')
      },
      observed: () =>
        ofEach({ pods }, async (pod) =>
          (await isAlive(cluster, pod)) ? null : `${pod.name} does not answer`,
        ),
      async undo() {
        for (const pod of pods) {
          // It may be gone by now, and its process with it.
          await cluster.signalPod(pod.name, 'SIGCONT').catch(() => {})
        }
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          if ((await podNow(cluster, pod)) === undefined) return `${pod.name} is gone`
          return (await isAlive(cluster, pod, 1_000)) ? `${pod.name} answers` : null
        }),
    }
  },
})
