// Fault descriptors-exhausted: the program gets no further file descriptor, so that it can accept and open nothing.

import { readdirSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineFault } from './fault.ts'
import { liftSoftLimit, limitsSupport, setSoftLimit, softLimit } from './limits.ts'
import { isAlive, isGone, ofEach, podNow, processIds } from './pods.ts'

export const descriptorsExhausted = defineFault({
  name: 'descriptors-exhausted',
  what: 'The program gets no further file descriptor: it can accept no connection and open none',
  lane: 'resources',
  victim: 'pod',
  settings: Type.Object(
    {
      left: Type.Integer({
        minimum: 0,
        maximum: 1_000,
        default: 0,
        description: 'How many it may still open',
      }),
    },
    { additionalProperties: false },
  ),
  supports: limitsSupport,
  on(target, { left }) {
    const { cluster, pods } = target
    const before = new Map<number, number | null>()
    const tighten = (pid: number) => setSoftLimit(pid, 'nofile', firstFree(pid) + left)
    return {
      async inject() {
        for (const pid of await processIds(target)) {
          before.set(pid, softLimit(pid, 'nofile'))
          await tighten(pid)
        }
      },
      async observed() {
        const texts: (string | null)[] = []
        for (const pid of before.keys()) {
          const limit = softLimit(pid, 'nofile')
          const free = (limit ?? 0) - firstFree(pid)
          if (limit === null) texts.push(isGone(pid) ? 'its program ended' : null)
          else if (free <= left) texts.push(`${Math.max(0, free)} of ${limit} descriptors free`)
          else {
            // A connection that was open when the limit was set has ended, and left its descriptor.
            if (!isGone(pid)) await tighten(pid)
            texts.push(null)
          }
        }
        return texts.length > 0 && texts.every((text) => text !== null) ? texts.join('; ') : null
      },
      async undo() {
        for (const [pid, limit] of before) await liftSoftLimit(pid, 'nofile', limit)
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          if ((await podNow(cluster, pod)) === undefined) return `${pod.name} is gone`
          return (await isAlive(cluster, pod)) ? `${pod.name} accepts connections` : null
        }),
    }
  },
})

/** The number that the next descriptor gets: the kernel gives the lowest that is free, and none from the limit on. */
function firstFree(pid: number): number {
  try {
    const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
    let free = 0
    while (open.has(free)) free++
    return free
  } catch {
    return 0
  }
}
