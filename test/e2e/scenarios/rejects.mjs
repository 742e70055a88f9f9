// A scenario with a rejection that nothing catches: the harness's own fault, exit code 4.
import { scenario } from '../../../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Leaves a rejected promise behind',
  durationMs: 1_000,
  async run(t) {
    Promise.reject(new Error('planted rejection'))
    await t.pause(60_000)
  },
})
