// A scenario with an import that is not there: exit code 4.
import { scenario } from '../../../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Imports what is not there',
  durationMs: 1_000,
  async run() {
    const file = './is-not-there.ts'
    await import(file)
  },
})
