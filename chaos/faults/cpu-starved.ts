// Fault cpu-starved: the pod gets a small share of one core: by a control group, else by stopping it most of the time.

import { randomBytes } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { canLimitCpu, cpuGroup } from './cgroup.ts'
import { defineFault } from './fault.ts'
import { answersIn, isAlive, ofEach, podNow, processIds } from './pods.ts'

/** One turn of stopping and going on, ms. */
const turnMs = 100

export const cpuStarved = defineFault({
  name: 'cpu-starved',
  what: 'The pod gets a small share of one core',
  lane: 'resources',
  victim: 'pod',
  settings: Type.Object(
    {
      share: Type.Number({ minimum: 0.01, maximum: 0.9, default: 0.1, description: 'Of one core' }),
      by: Type.Union([Type.Literal('auto'), Type.Literal('cgroup'), Type.Literal('signals')], {
        default: 'auto',
        description: 'A control group where this machine allows one, else SIGSTOP and SIGCONT in turn',
      }),
    },
    { additionalProperties: false },
  ),
  supports: () => null,
  on(target, { share, by }) {
    const { cluster, pods } = target
    const useGroup =
      by === 'cgroup' || (by === 'auto' && canLimitCpu() && cluster.hooks?.processId !== undefined)
    const group = cpuGroup(`stepflow-gauntlet-${process.pid}-${randomBytes(4).toString('hex')}`)
    const timers = new Set<NodeJS.Timeout>()
    let isOver = false
    const after = (ms: number, act: () => void): void => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        act()
      }, ms)
      timers.add(timer)
    }
    const signal = (name: 'SIGSTOP' | 'SIGCONT'): void => {
      // A pod that is gone, or between two starts, needs none.
      for (const pod of pods) void cluster.signalPod(pod.name, name).catch(() => {})
    }
    const turn = (): void => {
      if (isOver) return
      signal('SIGSTOP')
      after(turnMs * (1 - share), () => {
        if (isOver) return
        signal('SIGCONT')
        after(turnMs * share, turn)
      })
    }
    return {
      async inject() {
        if (!useGroup) return turn()
        await target.leaves({ kind: 'cgroup', path: group.path })
        group.limit(await processIds(target), share)
      },
      async observed() {
        if (useGroup) {
          // Something to do, for a pod without work needs no CPU.
          await Promise.all(pods.map((pod) => answersIn(`${cluster.podAdminUrl(pod)}/metrics`, 1_000)))
          const count = group.throttled()
          return count > 0 ? `throttled ${count} times by its control group` : null
        }
        return ofEach({ pods }, async (pod) => {
          const ms = await answersIn(`${cluster.podAdminUrl(pod)}/livez`, 2_000)
          return ms !== null && ms >= (turnMs * (1 - share)) / 3 ? `/livez took ${ms.toFixed(0)} ms` : null
        })
      },
      async undo() {
        isOver = true
        for (const timer of timers) clearTimeout(timer)
        if (useGroup) group.remove()
        else signal('SIGCONT')
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          if ((await podNow(cluster, pod)) === undefined) return `${pod.name} is gone`
          return (await isAlive(cluster, pod)) ? `${pod.name} answers` : null
        }),
    }
  },
})
