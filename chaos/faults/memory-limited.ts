// Fault memory-limited: the program gets no more address space than it has now and a little; it may run out.

import { Type } from '@sinclair/typebox'
import { defineFault } from './fault.ts'
import { addressSpace, limitsSupport, setSoftLimit } from './limits.ts'
import { isGone, ofEach, podNow, processIds, softLimit } from './pods.ts'

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
    let pids: readonly number[] = []
    return {
      async inject() {
        pids = await processIds(target)
        for (const pid of pids) await setSoftLimit(pid, 'as', addressSpace(pid) + moreMegabytes * 2 ** 20)
      },
      async observed() {
        const limits = pids.map((pid) => softLimit(pid, 'Max address space'))
        if (pids.length === 0 || limits.some((limit, i) => limit === null && !isGone(pids[i]!))) return null
        return `limited to ${limits.map((limit) => (limit === null ? 'its end' : `${Math.round(limit / 2 ** 20)} MB`)).join(', ')}`
      },
      async undo() {
        for (const pid of pids) await setSoftLimit(pid, 'as', 'unlimited')
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          const limits = pids.map((pid) => softLimit(pid, 'Max address space'))
          const now = await podNow(cluster, pod)
          return limits.every((limit) => limit === null) && now?.ready !== false ? 'no limit' : null
        }),
    }
  },
})
