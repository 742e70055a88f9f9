// Fault rolling-restart: every pod of the role is replaced, one at a time, the new one ready before the old one goes.

import { defineFault, noSettings } from './fault.ts'
import { readyCount } from './pods.ts'

export const rollingRestart = defineFault({
  name: 'rolling-restart',
  what: 'Every pod of the role is replaced, one at a time, as by a new version',
  lane: 'operation',
  victim: 'role',
  landsWithinMs: 120_000,
  settings: noSettings,
  supports: () => null,
  on({ cluster, role, pods }) {
    let rollout: Promise<unknown> = Promise.resolve()
    let problem: unknown = null
    const old = new Set(pods.map((pod) => pod.name))
    return {
      async inject() {
        rollout = cluster.rolloutRestart(role, { timeoutMs: 110_000 }).catch((error: unknown) => {
          problem = error
        })
      },
      async observed() {
        if (problem !== null) throw problem
        const fresh = (await cluster.pods(role)).filter((pod) => !old.has(pod.name))
        return fresh.length > 0 ? `${fresh[0]?.name} is new` : null
      },
      // A rollout goes on to its end: half a version would be the greater fault.
      async undo() {
        await rollout
      },
      async cleared() {
        const now = await cluster.pods(role)
        const ready = await readyCount(cluster, role)
        return now.every((pod) => !old.has(pod.name)) && ready >= old.size
          ? `${ready} new pods, all ready`
          : null
      },
    }
  },
})
