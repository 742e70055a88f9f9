// A scenario that judges nothing: INVALID, exit code 3.
import { scenario } from '../../../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Judges nothing',
  durationMs: 1_000,
  async run(t) {
    await t.pause(10)
  },
})
