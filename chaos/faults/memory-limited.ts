// Fault memory-limited: the program gets no more address space than it has now and a little; it may run out.

import { Type } from '@sinclair/typebox'
import { defineFault } from './fault.ts'
import { addressSpace, liftSoftLimit, limitsSupport, setSoftLimit, softLimit } from './limits.ts'
import { isGone, ofEach, podNow, processIds } from './pods.ts'

export const memoryLimited = defineFault({
  name: 'memory-limited',
  what: 'The program may take only so much more memory than it has',
  lane: 'resources',
  victim: 'pod',
  settings: Type.Object(
    {
      moreMegabytes: Type.Integer({
        minimum: 1,
        maximum: 100_000,
        default: 64,
        description: 'Of address space, beyond what it has at the injection',
      }),
    },
    { additionalProperties: false },
  ),
  supports: limitsSupport,
  on(target, { moreMegabytes }) {
    const { cluster, pods } = target
    /** Soft limits from before, by process. */
    const before = new Map<number, number | null>()
    return {
      async inject() {
        for (const pid of await processIds(target)) {
          before.set(pid, softLimit(pid, 'as'))
          await setSoftLimit(pid, 'as', addressSpace(pid) + moreMegabytes * 2 ** 20)
        }
      },
      async observed() {
        const pids = [...before.keys()]
        const limits = pids.map((pid) => softLimit(pid, 'as'))
        if (pids.length === 0 || limits.some((limit, i) => limit === null && !isGone(pids[i]!))) return null
        return `limited to ${limits.map((limit) => (limit === null ? 'its end' : `${Math.round(limit / 2 ** 20)} MB`)).join(', ')}`
      },
      async undo() {
        for (const [pid, limit] of before) await liftSoftLimit(pid, 'as', limit)
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          const isLifted = [...before].every(([pid, limit]) => isGone(pid) || softLimit(pid, 'as') === limit)
          const now = await podNow(cluster, pod)
          return isLifted && now?.ready !== false ? 'no limit' : null
        }),
    }
  },
})
