// A scenario under steady load until it is interrupted.
import { scenario } from '../../../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Offers load for a minute',
  durationMs: 60_000,
  async run(t) {
    const steady = t.load('steady', {
      workload: t.workload('hold', { holdMs: 50 }),
      profile: { kind: 'concurrent', users: 10, durationMs: t.durationMs },
    })
    await t.pause(1_000)
    t.say('under load')
    await steady
    await t.settle()
    await t.checkInvariants()
  },
})
