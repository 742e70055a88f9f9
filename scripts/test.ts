// `npm test` and `npm run test:full`: runs the parts of the suite with tap, prints each part's time against its
// budget, and closes with one line `N passed, N failed, N skipped`. `--part=NAME` runs one part.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { type TestPart, testParts } from './test-parts.ts'

const root = join(import.meta.dirname, '..')
const tap = join(root, 'node_modules/.bin/tap')
const full = process.argv.includes('--full')
const only = process.argv.find((word) => word.startsWith('--part='))?.slice('--part='.length)
const required = new Set((process.env['REQUIRE'] ?? '').split(',').filter((word) => word !== ''))

/** Seconds a test file may take before tap ends it. */
const fileTimeoutSeconds = 1200

interface Result {
  passed: number
  failed: number
  skipped: number
  /** Whether every process ended well. */
  ok: boolean
}

/** A process to run, and the test files in it. */
interface Job {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

function jobsOf(part: TestPart): readonly Job[] {
  const groups = part.files.map((pattern) => globSync(pattern, { cwd: root }).sort())
  for (const [index, files] of groups.entries()) {
    if (files.length === 0) throw new Error(`part ${part.name}: no test file matches ${part.files[index]}`)
  }
  if (part.grouped) {
    return groups.map((files) => ({
      command: process.execPath,
      args: [join(root, 'scripts/test-group.ts')],
      env: { TEST_FILES: files.join('\n') },
    }))
  }
  const args = [
    '--reporter=tap',
    `--jobs=${part.jobs}`,
    `--timeout=${fileTimeoutSeconds}`,
    '--disable-coverage',
  ]
  return [{ command: tap, args: [...args, ...groups.flat()] }]
}

async function runPart(part: TestPart): Promise<Result> {
  const jobs = [...jobsOf(part)]
  const result: Result = { passed: 0, failed: 0, skipped: 0, ok: true }
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      if (!(await runJob(job, result))) result.ok = false
    }
  }
  await Promise.all(Array.from({ length: part.grouped ? part.jobs : 1 }, work))
  return result
}

function runJob(job: Job, result: Result): Promise<boolean> {
  const child = spawn(job.command, job.args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...job.env },
  })
  const read = tapReader(result)
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) read(line)
  })
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)))
}

/**
 * Reads TAP: counts assertions (a subtest's own line has ` # time=` and is none), prints failures with what follows
 * them, skips with their reason, and top-level lines of files.
 */
function tapReader(result: Result): (line: string) => void {
  let inFailure = false
  return (line) => {
    const found = /^(\s*)(not ok|ok) \d+ ?-? ?(.*)$/.exec(line)
    if (found === null) {
      if (inFailure && /^\s/.test(line)) console.log(line)
      else inFailure = false
      return
    }
    const [, indent = '', word, text = ''] = found
    const isSummary = / # time=/.test(text)
    inFailure = word === 'not ok'
    if (/ # SKIP/i.test(text)) {
      result.skipped += 1
      console.log(`skipped: ${text.replace(/ # SKIP ?/i, ': ')}`)
    } else if (inFailure) {
      if (!isSummary) result.failed += 1
      console.log(line)
    } else {
      if (!isSummary) result.passed += 1
      else if (indent === '' && /\.test\.ts /.test(text)) console.log(text)
    }
  }
}

// tap writes the code that its plugin list asks for once; done before the first test rather than in its midst.
if (!existsSync(join(root, '.tap/plugins'))) {
  spawnSync(tap, ['build'], { cwd: root, stdio: 'inherit' })
}

const parts = testParts.filter((part) => (only === undefined ? full || !part.full : part.name === only))
const total: Result = { passed: 0, failed: 0, skipped: 0, ok: parts.length > 0 }
const rows: string[] = []
for (const part of parts) {
  const startedAt = performance.now()
  const result = await runPart(part)
  const seconds = (performance.now() - startedAt) / 1000
  total.passed += result.passed
  total.failed += result.failed
  total.skipped += result.skipped
  const late = seconds > part.budgetSeconds
  const ok = result.ok && result.failed === 0 && result.passed > 0
  total.ok &&= ok && !(late && required.has('budget'))
  const budget = `${seconds.toFixed(0)} s of ${part.budgetSeconds} s${late ? ' (over budget)' : ''}`
  rows.push(`part ${part.name}: ${ok ? 'ok' : 'FAILED'}, ${budget}`)
}
// A process that died without a failed assertion is a failure all the same.
if (!total.ok && total.failed === 0) total.failed = 1
console.log(rows.join('\n'))
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.ok ? 0 : 1
