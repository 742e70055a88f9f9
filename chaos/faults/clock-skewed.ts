// Fault clock-skewed: the program starts again in place with a wall clock that is wrong, and once more to be right.

import { Type } from '@sinclair/typebox'
import type { Kill } from '../checkers/index.ts'
import { defineFault, monotonicUs } from './fault.ts'
import { ofEach, podNow } from './pods.ts'

const preload = new URL('./skew-clock.ts', import.meta.url).href

export const clockSkewed = defineFault({
  name: 'clock-skewed',
  what: 'The program starts again in place with a wall clock that is off',
  lane: 'clock',
  victim: 'pod',
  landsWithinMs: 40_000,
  settings: Type.Object(
    {
      offsetSeconds: Type.Number({
        minimum: -1e8,
        maximum: 1e8,
        default: 3_600,
        description: 'How far ahead its clock is; negative: behind',
      }),
    },
    { additionalProperties: false },
  ),
  supports: ({ hooks }) =>
    hooks?.nodeArgs === undefined ? "this cluster cannot change how a pod's program is started" : null,
  on({ cluster, pods }, { offsetSeconds }) {
    const kills: Kill[] = []
    const restart = async (args: readonly string[]): Promise<void> => {
      for (const pod of pods) {
        if ((await podNow(cluster, pod)) === undefined) continue
        await cluster.hooks?.nodeArgs?.(pod.name, args)
        const at = monotonicUs()
        await cluster.signalPod(pod.name, 'SIGKILL')
        kills.push({ pod: pod.name, role: pod.role, at, goneAt: at + 250_000 })
      }
    }
    let isSkewed = false
    const skew = (name: string): Promise<number | null> => cluster.history(name).then(skewOf)
    return {
      async inject() {
        isSkewed = true
        await restart(['--import', `${preload}?ms=${offsetSeconds * 1000}`])
      },
      observed: () =>
        ofEach({ pods }, async (pod) => {
          const seconds = await skew(pod.name)
          if ((await podNow(cluster, pod))?.ready !== true || seconds === null) return null
          return Math.abs(seconds - offsetSeconds) < 5 ? `its clock is ${seconds.toFixed(0)} s ahead` : null
        }),
      async undo() {
        if (isSkewed) await restart([])
        isSkewed = false
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          const now = await podNow(cluster, pod)
          if (now === undefined) return `${pod.name} is gone`
          const seconds = await skew(pod.name)
          return now.ready && seconds !== null && Math.abs(seconds) < 5 ? 'its clock is right' : null
        }),
      kills: () => kills,
    }
  },
})

/** Seconds that the pod's last process was ahead of this one's clock when it started, by its own first record. */
function skewOf(history: string): number | null {
  const line = history.split('\n').findLast((one) => one.includes('"process.started"'))
  if (line === undefined) return null
  const { at, wallMs } = JSON.parse(line) as { at: number; wallMs: number }
  const originMs = Date.now() - monotonicUs() / 1000
  return (wallMs - originMs - at / 1000) / 1000
}
