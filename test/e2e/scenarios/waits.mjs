// A scenario under steady load until it is interrupted.
import { scenario } from '../../../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Offers load for a minute',
  durationMs: 60_000,
  async run(t) {
    let told = false
    await t.load('steady', {
      workload: t.workload('hold', { holdMs: 50 }),
      profile: { kind: 'concurrent', users: 10, durationMs: t.durationMs },
      onProgress: ({ answered }) => {
        if (answered > 0 && !told) t.say('under load')
        told ||= answered > 0
      },
    })
    await t.settle()
    await t.checkInvariants()
  },
})
