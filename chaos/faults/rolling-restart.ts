// Fault rolling-restart: every pod of the role is replaced, one at a time, the new one ready before the old one goes.

import { defineFault, noSettings } from './fault.ts'

export const rollingRestart = defineFault({
  name: 'rolling-restart',
  what: 'Every pod of the role is replaced, one at a time, as by a new version',
  lane: 'operation',
  victim: 'role',
  landsWithinMs: 120_000,
  settings: noSettings,
  supports: () => null,
  on({ cluster, role, pods }) {
    let problem: unknown = null
    let isOver = true
    const old = new Set(pods.map((pod) => pod.name))
    return {
      async inject() {
        isOver = false
        cluster
          .rolloutRestart(role, { timeoutMs: 110_000 })
          .catch((error: unknown) => {
            problem = error
          })
          .finally(() => {
            isOver = true
          })
      },
      async observed() {
        if (problem !== null) throw problem
        const fresh = (await cluster.pods(role)).filter((pod) => !old.has(pod.name))
        return fresh.length > 0 ? `${fresh[0]?.name} is new` : null
      },
      // A rollout goes on to its end, which `cleared` waits for: half a version would be the greater fault.
      async undo() {},
      async cleared() {
        if (problem !== null) throw problem
        const now = await cluster.pods(role)
        // Beside another fault that replaces pods there may be more than wanted for a moment: how many are is the
        // cluster's to know.
        return isOver && now.every((pod) => !old.has(pod.name) && pod.ready)
          ? `${now.length} new pods, all ready`
          : null
      },
    }
  },
})
