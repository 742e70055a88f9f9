// What every benchmark ends with: a line for each goal, and the same as JSON under reports/out/.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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
 * @param targets figures of scenarios/targets.ts that it measured, by name: the next report shows them
 */
export function reportGoals(
  bench: string,
  goals: readonly Goal[],
  details: unknown,
  targets: Readonly<Record<string, number>> = {},
): void {
  const folder = join(import.meta.dirname, '../reports/out')
  mkdirSync(folder, { recursive: true })
  const judged = goals.map((goal) => ({ ...goal, met: isMet(goal) }))
  const file = join(folder, `bench-${bench}.json`)
  const at = new Date().toISOString()
  const figures = Object.entries(targets).map(([name, measured]) => [
    name,
    { measured, at, commit: commit() },
  ])
  const report = {
    bench,
    at,
    goals: judged,
    // A run of another part keeps what this one measured.
    targets: { ...targetsIn(file), ...Object.fromEntries(figures) },
    details,
  }
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  for (const { name, measured, target, comparison, unit, met } of judged) {
    const value = measured === null ? 'not measured' : `${Number(measured.toFixed(2))} ${unit}`
    process.stdout.write(
      `goal ${name}: ${value} against ${comparison} ${target} ${unit} ${met ? 'met' : 'short'}\n`,
    )
  }
}

function targetsIn(file: string): object {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly targets?: object }).targets ?? {}
  } catch {
    return {}
  }
}

/** Short hash of what was measured; null outside of a repository. */
function commit(): string | null {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : null
}

function isMet({ measured, target, comparison }: Goal): boolean {
  if (measured === null || Number.isNaN(measured)) return false
  return comparison === 'at most' ? measured <= target : measured >= target
}
