// `npm test` and `npm run test:full`: runs the parts of the suite with tap, prints each part's time against its
// budget, and closes with one line `N passed, N failed, N skipped`.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { type TestPart, testParts } from './test-parts.ts'

const root = join(import.meta.dirname, '..')
const tap = join(root, 'node_modules/.bin/tap')
const full = process.argv.includes('--full')
const only = process.argv.find((word) => word.startsWith('--part='))?.slice('--part='.length)
const required = new Set((process.env['REQUIRE'] ?? '').split(',').filter((word) => word !== ''))

interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** Files each test may leave open or slow to end are tap's own affair; a file gets this long. */
const fileTimeoutSeconds = 240

async function runPart(part: TestPart): Promise<Counts & { seconds: number; ok: boolean }> {
  const files = part.files.flatMap((pattern) => globSync(pattern, { cwd: root })).sort()
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  if (files.length === 0) {
    console.error(`part ${part.name}: no test file matches ${part.files.join(' ')}`)
    return { ...counts, failed: 1, seconds: 0, ok: false }
  }
  const startedAt = performance.now()
  const args = [
    '--reporter=tap',
    `--jobs=${part.jobs}`,
    `--timeout=${fileTimeoutSeconds}`,
    '--disable-coverage',
    ...files,
  ]
  const child = spawn(tap, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) readLine(line, counts)
  })
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 1)))
  return { ...counts, seconds: (performance.now() - startedAt) / 1000, ok: code === 0 && counts.failed === 0 }
}

/**
 * Counts assertions (the innermost `ok` lines; a subtest's own summary line has ` # time=` and is left out) and
 * prints failures with what follows them, skips, and each file's line.
 */
let inFailure = false
function readLine(line: string, counts: Counts): void {
  const result = /^(\s*)(not ok|ok) \d+ ?-? ?(.*)$/.exec(line)
  if (result === null) {
    const open = /^\s*(---|\.\.\.)$/.test(line) || /^\s+/.test(line)
    if (inFailure && open) console.log(line)
    else inFailure = false
    return
  }
  const [, indent = '', word, text = ''] = result
  const isSummary = / # time=/.test(text)
  const isSkip = / # SKIP/i.test(text)
  inFailure = word === 'not ok'
  if (isSkip) {
    counts.skipped += 1
    console.log(`skipped: ${text}`)
  } else if (inFailure) {
    if (!isSummary) counts.failed += 1
    console.log(line)
  } else if (!isSummary) counts.passed += 1
  if (indent === '' && word === 'ok') console.log(text)
}

// tap writes the code that its plugin list asks for once; done before the first test rather than in its midst.
if (!existsSync(join(root, '.tap/plugins'))) {
  spawnSync(tap, ['build'], { cwd: root, stdio: 'inherit' })
}

const parts = testParts.filter((part) => (only === undefined ? full || !part.full : part.name === only))
const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const rows: string[] = []
let ok = parts.length > 0
for (const part of parts) {
  const result = await runPart(part)
  total.passed += result.passed
  total.failed += result.failed
  total.skipped += result.skipped
  const late = result.seconds > part.budgetSeconds
  ok &&= result.ok && !(late && required.has('budget'))
  rows.push(
    `part ${part.name}: ${result.ok ? 'ok' : 'FAILED'}, ${result.seconds.toFixed(0)} s of ${part.budgetSeconds} s${late ? ' (over budget)' : ''}`,
  )
}
if (!ok && total.failed === 0) total.failed = 1
console.log(rows.join('\n'))
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = ok ? 0 : 1
