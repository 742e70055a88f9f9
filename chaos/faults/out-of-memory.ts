// Fault out-of-memory: the program's next allocation fails, so that it dies in the middle of its work and starts again.

import type { Pod } from '../../contracts/cluster.ts'
import type { Kill } from '../checkers/index.ts'
import { defineFault, monotonicUs, noSettings } from './fault.ts'
import { addressSpace, liftSoftLimit, limitsSupport, setSoftLimit, softLimit } from './limits.ts'
import { isAlive, isGone, ofEach, podNow, processIds } from './pods.ts'
import { UnreadAnswers } from './unread-answers.ts'

interface Victim {
  readonly pid: number
  /** Its soft limit before, bytes; null: none. */
  readonly before: number | null
  readonly asked: UnreadAnswers
  /** Null as long as the program lives. */
  kill: Kill | null
}

export const outOfMemory = defineFault({
  name: 'out-of-memory',
  what: 'The program runs out of memory at its next allocation, dies and starts again',
  lane: 'resources',
  victim: 'pod',
  // Most of it is for the pause before the restart, of 10 s at most locally; it dies within 5 s.
  landsWithinMs: 40_000,
  settings: noSettings,
  supports: limitsSupport,
  on(target) {
    const { cluster, pods } = target
    const victims = new Map<Pod, Victim>()
    let at = 0
    const noteKills = (): void => {
      for (const [{ name, role }, victim] of victims) {
        if (victim.kill === null && isGone(victim.pid)) {
          victim.kill = { pod: name, role, at, goneAt: monotonicUs() }
        }
      }
    }
    return {
      async inject() {
        const pids = await processIds(target)
        at = monotonicUs()
        for (const [i, pod] of pods.entries()) {
          const pid = pids[i]!
          const asked = new UnreadAnswers(`${cluster.podAdminUrl(pod)}/metrics`)
          // Below what it has: nothing is taken from it, and nothing more is given.
          const limit = addressSpace(pid) / 2
          victims.set(pod, { pid, before: softLimit(pid, 'as'), asked, kill: null })
          await setSoftLimit(pid, 'as', limit)
        }
      },
      observed: () =>
        ofEach({ pods }, async (pod) => {
          const victim = victims.get(pod)
          if (victim === undefined) return null
          // Something to allocate for; never of the program that comes after it.
          if (!isGone(victim.pid)) await victim.asked.ask()
          noteKills()
          const now = victim.kill === null ? undefined : await podNow(cluster, pod)
          return now !== undefined && now.restarts > pod.restarts
            ? `${pod.name} died and started again`
            : null
        }),
      async undo() {
        for (const { asked } of victims.values()) asked.close()
        noteKills()
        for (const { pid, before, kill } of victims.values()) {
          if (kill === null) await liftSoftLimit(pid, 'as', before)
        }
      },
      cleared: () =>
        ofEach({ pods }, async (pod) => {
          noteKills()
          const now = await podNow(cluster, pod)
          if (now === undefined) return `${pod.name} is gone`
          // It answers: the limit was lifted before an allocation failed, or this is the next program.
          return now.ready && (await isAlive(cluster, pod, 1_000)) ? `${pod.name} is ready` : null
        }),
      kills() {
        noteKills()
        return [...victims.values()].flatMap(({ kill }) => kill ?? [])
      },
    }
  },
})
