// A scenario file that throws before it calls scenario(): exit code 4, although zx itself would say 1.
import { scenario } from '../../../harness/start.mjs'

if (process.pid > 0) throw new Error('planted early throw')
await scenario(import.meta, { summary: 'Never starts', durationMs: 1_000, async run() {} })
