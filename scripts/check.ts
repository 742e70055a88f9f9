// `npm run check`: types, lint and format, unused code, import directions; all are run, then the failures named.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bin = (name: string): string => join(root, 'node_modules/.bin', name)

const checks = [
  { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
  { name: 'lint and format', command: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
  { name: 'unused code', command: bin('knip'), args: ['--no-progress'] },
  { name: 'lock file', command: process.execPath, args: [join(root, 'scripts/complete-lock.ts'), '--check'] },
  { name: 'imports', command: process.execPath, args: [join(root, 'scripts/check-imports.ts')] },
]

const failed = checks.filter(({ name, command, args }) => {
  const startedAt = performance.now()
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`check ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`)
  return status !== 0
})
if (failed.length > 0) console.error(`failed: ${failed.map(({ name }) => name).join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
