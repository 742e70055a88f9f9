// What every benchmark ends with: a line for each goal, and the same as JSON under reports/out/.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Goal {
  readonly name: string
  /** Null where it was not measured, which meets no goal. */
  readonly measured: number | null
  readonly target: number
  readonly comparison: 'at most' | 'at least'
  readonly unit: string
}

/**
 * Prints `goal <name>: <measured> against <target> met|short` for each goal, and writes them with `details` to
 * `reports/out/bench-<bench>.json`.
 */
export function reportGoals(bench: string, goals: readonly Goal[], details: unknown): void {
  const folder = join(import.meta.dirname, '../reports/out')
  mkdirSync(folder, { recursive: true })
  const judged = goals.map((goal) => ({ ...goal, met: isMet(goal) }))
  const report = { bench, at: new Date().toISOString(), goals: judged, details }
  writeFileSync(join(folder, `bench-${bench}.json`), `${JSON.stringify(report, null, 2)}\n`)
  for (const { name, measured, target, comparison, unit, met } of judged) {
    const value = measured === null ? 'not measured' : `${Number(measured.toFixed(2))} ${unit}`
    process.stdout.write(
      `goal ${name}: ${value} against ${comparison} ${target} ${unit} ${met ? 'met' : 'short'}\n`,
    )
  }
}

function isMet({ measured, target, comparison }: Goal): boolean {
  if (measured === null || Number.isNaN(measured)) return false
  return comparison === 'at most' ? measured <= target : measured >= target
}
