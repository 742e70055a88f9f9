// `npm run load`: the suite of scenarios on one boot of the system. Makes sure of Node 24, then hands over.

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
  const { runSuiteCommand } = await import('./suite.ts')
  code = await runSuiteCommand(args)
} catch (error) {
  process.stderr.write(`harness error: ${error instanceof Error ? error.stack : String(error)}\n`)
}
process.exit(code)
