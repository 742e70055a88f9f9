// The ledger of trials: one JSON object a line, keyed by what a trial depends on, so that a broken-off series goes on.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { Verdict } from '../../contracts/exit-codes.ts'

/** What a trial depends on: two trials with the same key would prove the same. */
export interface TrialKey {
  readonly commit: string
  readonly machine: string
  readonly seed: number
  /** The planted defect; null of a clean trial. */
  readonly defect: string | null
  readonly scenarios: readonly string[]
  /** Load time of each, ms; null: each its own. */
  readonly durationMs: number | null
  /** Beside what it ran. */
  readonly beside: 'nothing' | 'hog'
}

export interface TrialEntry extends TrialKey {
  /** RFC 3339. */
  readonly at: string
  readonly verdict: Verdict | 'ERROR'
  readonly code: number
  /** Judgements that failed, as `scenario: name`; with the reason of each. */
  readonly failed: readonly { readonly scenario: string; readonly name: string; readonly reason: string }[]
  readonly unknown: readonly { readonly scenario: string; readonly name: string; readonly reason: string }[]
  /** From the start of the system to the verdict, s. */
  readonly seconds: number
  /** Mean share of the machine that others had, 0 to 1; null where it was not measured. */
  readonly othersShare: number | null
}

export interface Ledger {
  /** The entry of the same key, if the trial has been run. */
  find(key: TrialKey): TrialEntry | undefined
  add(entry: TrialEntry): void
}

/** Where both commands keep their trials. */
export const ledgerFile = join(import.meta.dirname, '../../reports/out/trials.ndjson')

/** Every trial of a ledger, in the order they were run. */
export function trialsIn(file: string = ledgerFile): readonly TrialEntry[] {
  return textOf(file)
    .split('\n')
    .flatMap((line) => parse(line) ?? [])
}

/** Opens the ledger in `file`; it is made when the first entry comes. A torn last line counts as not run. */
export function openLedger(file: string): Ledger {
  const entries = new Map(trialsIn(file).map((entry) => [textOfKey(entry), entry]))
  return {
    find: (key) => entries.get(textOfKey(key)),
    add(entry) {
      mkdirSync(dirname(file), { recursive: true })
      appendFileSync(file, `${JSON.stringify(entry)}\n`)
      entries.set(textOfKey(entry), entry)
    },
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

function parse(line: string): TrialEntry | null {
  try {
    return JSON.parse(line) as TrialEntry
  } catch {
    return null
  }
}

function textOfKey({ commit, machine, seed, defect, scenarios, durationMs, beside }: TrialKey): string {
  return JSON.stringify([commit, machine, seed, defect, scenarios, durationMs, beside])
}

/** The commit that is checked out, with a hash of what differs from it: other code is another key. */
export function commitOf(root: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }).trim()
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD')
    // Pages may change: they are not run.
    const difference = git('diff', 'HEAD', '--', '.', ':!*.md')
    const added = git('ls-files', '-o', '--exclude-standard', '--', '*.ts', '*.mjs')
      .split('\n')
      .filter((path) => path !== '')
      .map((path) => readFileSync(join(root, path), 'utf8'))
    if (difference === '' && added.length === 0) return commit
    const hash = createHash('sha256').update(difference).update(added.join('\n'))
    return `${commit}+${hash.digest('hex').slice(0, 8)}`
  } catch {
    return 'no git'
  }
}

/** The kind of machine, without its name. */
export function machineOf(): string {
  const [first] = cpus()
  return `${cpus().length} x ${first?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`
}
