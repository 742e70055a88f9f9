// A scenario that throws: the harness's own fault, exit code 4.
import { scenario } from '../../../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Throws',
  durationMs: 1_000,
  async run() {
    throw new Error('planted throw')
  },
})
