// `npm run chaos`: random schedules of faults, the failing ones shrunk and kept. Makes sure of Node 24, then hands over.

import { fileURLToPath } from 'node:url'
import { followParent, isNode24, keepCompiled, runUnderNode24 } from '../node24.mjs'

const args = process.argv.slice(2)
if (!isNode24()) {
  process.exit(await runUnderNode24([fileURLToPath(import.meta.url), ...args]))
}
followParent()
keepCompiled()
let code = 4
try {
  const { runChaosCommand } = await import('./chaos.ts')
  code = await runChaosCommand(args)
} catch (error) {
  process.stderr.write(`harness error: ${error instanceof Error ? error.stack : String(error)}\n`)
}
process.exit(code)
