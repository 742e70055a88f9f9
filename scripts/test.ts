// `npm test` and `npm run test:full`: runs the parts of the suite with tap, prints each part's time against its
// budget, and closes with one line `N passed, N failed, N skipped`. `--part=NAME` runs one part.

import { type ChildProcess, spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { readArgs } from '../contracts/args.ts'
import { GauntletError } from '../contracts/errors.ts'
import { exitCodes } from '../contracts/exit-codes.ts'
import { type TestPart, testParts } from './test-parts.ts'
import { tidyKubernetes } from './tidy-kubernetes.ts'

const root = join(import.meta.dirname, '..')
const help = `Usage: npm test -- [options]

Runs the parts of the suite and prints each one's time against its budget (scripts/test-parts.ts).

Options:
  --full       Also what takes minutes: npm run test:full
  --part NAME  Only this part: ${testParts.map(({ name }) => name).join(', ')}
  -h, --help   Print this text and exit

REQUIRE=chromium,interop,kubernetes,... turns a skip for want of these into a failure; REQUIRE=budget a part over budget.
`
const { full, part: only } = readOptions()
const required = new Set((process.env['REQUIRE'] ?? '').split(',').filter((word) => word !== ''))

/** Halves the CPU time of a program's start, of which the tests make hundreds; coverage would be inexact with it. */
const compileCache =
  process.env['NODE_V8_COVERAGE'] === undefined
    ? { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/stepflow-gauntlet/compile') }
    : {}

function readOptions(): { readonly full: boolean; readonly part: string | undefined } {
  try {
    const { values } = readArgs({
      options: {
        full: { type: 'boolean', default: false },
        part: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const { part } = values
    if (values.help) {
      process.stdout.write(help)
      process.exit(exitCodes.pass)
    }
    const names = testParts.map(({ name }) => name)
    if (part !== undefined && !names.includes(part)) {
      throw new GauntletError('ERR_FLAG_VALUE', `got ${part}`, {
        field: '--part',
        fix: `use ${names.join(', ')}`,
      })
    }
    return { full: values.full, part }
  } catch (error) {
    if (!(error instanceof GauntletError)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    process.exit(exitCodes.usage)
  }
}

interface Result {
  passed: number
  failed: number
  skipped: number
  /** Whether every process ended well. */
  ok: boolean
}

/** Test files that share a process. */
type Job = readonly string[]

function jobsOf(part: TestPart): readonly Job[] {
  const groups = part.files.map((pattern) => globSync(pattern, { cwd: root }).sort())
  for (const [index, files] of groups.entries()) {
    if (files.length === 0) throw new Error(`part ${part.name}: no test file matches ${part.files[index]}`)
  }
  return part.grouped ? groups : [...new Set(groups.flat())].map((file) => [file])
}

async function runPart(part: TestPart): Promise<Result> {
  const jobs = [...jobsOf(part)]
  const result: Result = { passed: 0, failed: 0, skipped: 0, ok: true }
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined && interrupted === null; job = jobs.shift()) {
      if (!(await runJob(job, result))) result.ok = false
    }
  }
  const tidy = part.deploys === true ? tidyKubernetes() : null
  await Promise.all(Array.from({ length: part.jobs }, work))
  if (tidy?.() === false) {
    console.log(`part ${part.name}: something of it is left in the cluster`)
    result.ok = false
  }
  return result
}

/** Test processes under way. */
const running = new Set<ChildProcess>()
let interrupted: NodeJS.Signals | null = null
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = signal
    for (const child of running) end(child)
  })
}

/** Ends a test process with the programs that it started: each is the leader of a group of its own. */
function end({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Not by tap's own command: it would have every program that a test starts load its instrumentation too. */
function runJob(files: Job, result: Result): Promise<boolean> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [join(root, 'scripts/test-group.ts')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    detached: true,
    env: { ...process.env, ...compileCache, TEST_FILES: files.join('\n') },
  })
  running.add(child)
  const read = tapReader(result)
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) read(line)
  })
  // Whatever it left running may hold its output, and so put off its close.
  child.on('exit', () => end(child))
  return new Promise((resolve) =>
    child.on('close', (code) => {
      running.delete(child)
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      const name = files.length === 1 ? files[0] : `${files.length} files from ${files[0]}`
      console.log(`${code === 0 ? 'ok' : `FAILED (exit code ${code})`}  ${name}  ${seconds} s`)
      resolve(code === 0)
    }),
  )
}

/**
 * Reads TAP: counts assertions (a subtest's own line has ` # time=` and is none), prints failures with what follows
 * them, skips with their reason, and what a test notes for the report (`t.comment('note: ...')`).
 */
function tapReader(result: Result): (line: string) => void {
  let inFailure = false
  return (line) => {
    const note = /^\s*# (note: .*)$/.exec(line)?.[1]
    if (note !== undefined) {
      console.log(note)
      return
    }
    const found = /^(\s*)(not ok|ok) \d+ ?-? ?(.*)$/.exec(line)
    if (found === null) {
      if (inFailure && /^\s/.test(line)) console.log(line)
      else inFailure = false
      return
    }
    const [, , word, text = ''] = found
    const isSummary = / # time=/.test(text)
    inFailure = word === 'not ok'
    if (/ # SKIP/i.test(text)) {
      result.skipped += 1
      console.log(`skipped: ${text.replace(/ # SKIP ?/i, ': ')}`)
    } else if (inFailure) {
      if (!isSummary) result.failed += 1
      console.log(line)
    } else if (!isSummary) result.passed += 1
  }
}

const parts = testParts.filter((part) =>
  only === undefined ? part.alone !== true && (full || !part.full) : part.name === only,
)
const total: Result = { passed: 0, failed: 0, skipped: 0, ok: parts.length > 0 }
const rows: string[] = []
for (const part of parts) {
  if (interrupted !== null) break
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
process.exitCode = interrupted === null ? (total.ok ? 0 : 1) : 128 + constants.signals[interrupted]
