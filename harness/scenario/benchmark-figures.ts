// Targets that benchmarks measure: their last figures, for the report. See bench/goals.ts.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { EarlierFigure } from '../../contracts/results.ts'

const benchmarkReport = Type.Object({
  targets: Type.Record(
    Type.String(),
    Type.Object({
      measured: Type.Number(),
      at: Type.String(),
      commit: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
})

/**
 * What the benchmarks run in this folder measured last, by the name of the target.
 * @param folder where they write; a file in it that does not say what it measured is left out
 */
export function benchmarkFigures(
  folder = join(import.meta.dirname, '../../reports/out'),
): ReadonlyMap<string, EarlierFigure> {
  const found = new Map<string, EarlierFigure>()
  for (const file of globSync('bench-*.json', { cwd: folder }).sort()) {
    const report = readReport(join(folder, file))
    if (!Value.Check(benchmarkReport, report)) continue
    for (const [name, { measured, at, commit }] of Object.entries(report.targets)) {
      found.set(name, { measured, at, commit })
    }
  }
  return found
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // Gone or half written: a benchmark may be running.
    return null
  }
}
