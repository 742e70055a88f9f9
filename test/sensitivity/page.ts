// The tables of docs/reference/: what was really run, from the ledger, each row with its commit. Called with --write.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { proportion, proportionText } from '../../reports/judge/proportion.ts'
import { type Defect, type DefectName, defects } from '../defects/index.ts'
import { type TrialEntry, trialsIn } from './ledger.ts'
import { caughtBy, outcomeOf } from './outcome.ts'

const pages = join(import.meta.dirname, '../../docs/reference')

/** Rows of the catalogue: every defect, and its latest trial that proved anything. */
export function sensitivityTable(entries: readonly TrialEntry[]): string {
  const rows = (Object.entries(defects) as [DefectName, Defect][]).map(([name, defect]) => {
    const tried = entries.filter((entry) => entry.defect === name && entry.scenarios[0] === defect.scenario)
    const last = tried.findLast((entry) => outcomeOf(defect, entry) !== 'INVALID') ?? tried.at(-1)
    const others = last === undefined ? [] : caughtBy(last).filter((by) => by !== defect.checker)
    return [
      `\`${name}\`${defect.blind === true ? ' (blind)' : ''}`,
      defect.what,
      defect.scenario,
      `\`${defect.checker}\``,
      last === undefined
        ? 'not run'
        : `${outcomeOf(defect, last)}, ${last.seconds.toFixed(0)} s${others.length === 0 ? '' : `, also ${others.join(', ')}`}`,
      last === undefined ? '' : last.commit,
    ]
  })
  return table(['defect', 'what is wrong', 'scenario', 'meant for', 'outcome', 'commit'], rows)
}

/** Rates of clean trials by commit and company. */
export function specificityTable(entries: readonly TrialEntry[]): string {
  const clean = entries.filter(({ defect }) => defect === null)
  const commits = [...new Set(clean.map(({ commit }) => commit))]
  const rows = commits.flatMap((commit) =>
    (['nothing', 'hog'] as const).flatMap((beside) => {
      const among = clean.filter((entry) => entry.commit === commit && entry.beside === beside)
      if (among.length === 0) return []
      const rate = (...verdicts: readonly string[]) =>
        proportionText(
          proportion(among.filter(({ verdict }) => verdicts.includes(verdict)).length, among.length),
        )
      const shares = among.flatMap(({ othersShare }) => othersShare ?? [])
      const mean = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length)
      return [[commit, beside, rate('FAIL'), rate('INVALID', 'ERROR'), `${(mean * 100).toFixed(0)} %`]]
    }),
  )
  return table(['commit', 'beside', 'false alarms', 'INVALID', 'others had'], rows)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [first = '', ...rest] = all.map(line)
  return [first, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rest].join('\n')
}

/** Puts the tables of today's ledger into their pages, in place of those that stand there. */
export function writePages(): void {
  const entries = trialsIn()
  for (const [name, text] of [
    ['sensitivity.md', sensitivityTable(entries)],
    ['specificity.md', specificityTable(entries)],
  ] as const) {
    const file = join(pages, name)
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(/^\| [\s\S]*\|$/m, () => text),
    )
  }
}
