// What the faults that end pods share: a pod is ended for good, and the role is whole again when it is replaced.

import type { Static, TObject } from '@sinclair/typebox'
import type { Pod } from '../../contracts/cluster.ts'
import type { Kill } from '../checkers/index.ts'
import { defineFault, type Fault, monotonicUs, type Target } from './fault.ts'
import { podNow, readyCount } from './pods.ts'

interface Ending<T extends TObject> {
  readonly name: string
  readonly what: string
  readonly lane?: Fault['lane']
  readonly settings: T
  readonly landsWithinMs?: number
  /** Whether what ran on the pod may be lost. */
  readonly kills: boolean | ((settings: Static<T>) => boolean)
  /** Whether `end` resolves only when the pod is gone; else it counts as ended once it terminates. */
  readonly waits: boolean
  end(target: Target, pod: Pod, settings: Static<T>): Promise<void>
}

export function ending<T extends TObject>(of: Ending<T>): Fault {
  return defineFault({
    name: of.name,
    what: of.what,
    lane: of.lane ?? 'process',
    victim: 'pod',
    settings: of.settings,
    landsWithinMs: of.landsWithinMs ?? 40_000,
    supports: () => null,
    on(target, settings) {
      const { cluster, pods, role } = target
      const kills: Kill[] = []
      let before = 0
      let problem: unknown = null
      const endings: Promise<void>[] = []
      return {
        async inject() {
          before = await readyCount(cluster, role)
          for (const pod of pods) {
            const at = monotonicUs()
            const ended = of.end(target, pod, settings).then(
              () => {
                const isKill = typeof of.kills === 'boolean' ? of.kills : of.kills(settings)
                if (isKill) kills.push({ pod: pod.name, role: pod.role, at, goneAt: monotonicUs() })
              },
              (error: unknown) => {
                problem = error
              },
            )
            endings.push(ended)
          }
          if (of.waits) await Promise.all(endings)
        },
        async observed() {
          if (problem !== null) throw problem
          const now = await Promise.all(pods.map((pod) => podNow(cluster, pod)))
          if (pods.length === 0 || now.some((pod) => pod !== undefined && pod.phase !== 'Terminating'))
            return null
          return now.every((pod) => pod === undefined) ? 'its process is gone' : 'it terminates'
        },
        // The controller replaces it; there is nothing to take back.
        async undo() {
          await Promise.all(endings)
        },
        async cleared() {
          const left = (await Promise.all(pods.map((pod) => podNow(cluster, pod)))).filter(Boolean).length
          const ready = await readyCount(cluster, role)
          return left === 0 && ready >= before ? `${ready} pods of ${role} ready again` : null
        },
        kills: () => kills,
      }
    },
  })
}
