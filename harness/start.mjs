// What a scenario file imports: makes sure of Node 24, then runs the scenario. Plain JavaScript, so that an older
// Node can read it and say what is missing; everything else is imported later, by a Node that runs TypeScript.

import { fileURLToPath } from 'node:url'
import { followParent, isNode24, keepCompiled, runUnderNode24 } from './node24.mjs'

/** A suite sets this to a function that takes definitions, so that importing a scenario does not run it. */
const collector = Symbol.for('stepflow-gauntlet.collect')

let settled = false

// A throw before a verdict ends zx with 1, which would read as FAIL: only a verdict may say that. A suite sees to its
// own exit code.
if (globalThis[collector] === undefined) {
  process.on('exit', (code) => {
    if (code === 1 && !settled) process.exitCode = 4
  })
}

/**
 * Runs a scenario from its own file and ends the process with its exit code (docs/reference/exit-codes.md).
 * @param {ImportMeta} meta the scenario file's `import.meta`
 * @param {import('./scenario/definition.ts').ScenarioDefinition} definition
 */
export async function scenario(meta, definition) {
  const file = fileURLToPath(meta.url)
  const collect = globalThis[collector]
  if (typeof collect === 'function') {
    collect(file, definition)
    return
  }
  const own = process.argv.findIndex((word) => fileURLToPathOrSelf(word) === file)
  const args = process.argv.slice(own === -1 ? 2 : own + 1)
  if (!isNode24()) {
    const code = await runUnderNode24([file, ...args])
    settled = true
    process.exit(code)
  }
  followParent()
  keepCompiled()
  try {
    const { runScenarioCommand } = await import('./scenario/command.ts')
    const code = await runScenarioCommand(file, definition, args)
    settled = true
    process.exit(code)
  } catch (error) {
    process.stderr.write(`harness error: ${error instanceof Error ? error.stack : String(error)}\n`)
    settled = true
    process.exit(4)
  }
}

function fileURLToPathOrSelf(word) {
  if (word.startsWith('file:')) return fileURLToPath(word)
  try {
    return fileURLToPath(new URL(word, `file://${process.cwd()}/`))
  } catch {
    return word
  }
}
