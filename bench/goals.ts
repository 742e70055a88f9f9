// What every benchmark ends with: a line for each goal, and the same as JSON under reports/out/.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Goal {
  readonly name: string
  /** With its unit, e.g. `9.1 times`; null where it was not measured. */
  readonly measured: string | null
  readonly target: string
  readonly met: boolean
}

/**
 * Prints `goal <name>: <measured> against <target> met|short` for each goal and writes them with `figures` to
 * `reports/out/<bench>.json`.
 */
export function reportGoals(bench: string, goals: readonly Goal[], figures: unknown): void {
  const folder = join(import.meta.dirname, '../reports/out')
  mkdirSync(folder, { recursive: true })
  const report = { bench, at: new Date().toISOString(), goals, figures }
  writeFileSync(join(folder, `${bench}.json`), `${JSON.stringify(report, null, 2)}\n`)
  for (const { name, measured, target, met } of goals) {
    const verdict = measured === null ? 'short (not measured)' : met ? 'met' : 'short'
    process.stdout.write(`goal ${name}: ${measured ?? 'nothing'} against ${target} ${verdict}\n`)
  }
}
