// The verdict on a terminal: tables of scenarios and targets, then each reason with its replay command.

import { styleText } from 'node:util'
import type { Results } from '../../contracts/results.ts'
import { type Reason, reasonsOf } from '../judge/verdict.ts'
import { formatDurationMs, oneLine } from '../words.ts'
import { scenarioRows, targetRows, verdictSentence } from './summary.ts'

export interface TableOptions {
  /** Colour by escape sequences; default false. */
  readonly colour?: boolean
}

type Style = Parameters<typeof styleText>[0]

const styles: Readonly<Record<string, Style>> = {
  PASS: ['bold', 'green'],
  FAIL: ['bold', 'red'],
  INVALID: ['bold', 'yellow'],
  'not measured': 'dim',
  'met earlier': 'dim',
  'short earlier': 'yellow',
}

/** At most this many counterexamples a reason on the terminal; the report has all. */
const shownExamples = 3

/** The text, with a line end. Each FAIL and INVALID ends in one line that replays it. */
export function renderTable(results: Results, options: TableOptions = {}): string {
  const paint = (style: Style | undefined, text: string): string =>
    options.colour === true && style !== undefined ? styleText(style, text, { validateStream: false }) : text
  const grid = (
    titles: readonly string[],
    rows: readonly (readonly string[])[],
    right: ReadonlySet<number>,
  ) => gridLines(titles, rows, right, paint)

  const lines = [
    '',
    `${paint(styles[results.verdict], results.verdict)}  ${paint('bold', oneLine(results.suite))} in ${formatDurationMs(results.durationMs)}. ${oneLine(verdictSentence(results))}`,
    '',
    ...grid(
      ['scenario', 'verdict', 'checks', 'runs', 'failed', 'p50', 'p99', 'time'],
      scenarioRows(results).map((row) => Object.values(row)),
      new Set([2, 3, 4, 5, 6, 7]),
    ),
  ]
  const targets = targetRows(results)
  if (targets.length > 0) {
    lines.push(
      '',
      ...grid(
        ['target', 'measured', 'wanted', 'result'],
        targets.map((row) => Object.values(row)),
        new Set([1]),
      ),
    )
  }
  for (const reason of reasonsOf(results)) lines.push('', ...reasonLines(reason, paint))
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

function reasonLines(reason: Reason, paint: (style: Style | undefined, text: string) => string): string[] {
  const where = [reason.scenario, reason.name].filter((part) => part !== undefined).join(' · ')
  const more = reason.examples.length - shownExamples
  return [
    `${paint(styles[reason.verdict], reason.verdict)}  ${paint('bold', oneLine(where === '' ? reason.claim : where))}: ${oneLine(reason.reason)}`,
    ...reason.examples.slice(0, shownExamples).map((example) => `  - ${oneLine(example, 200)}`),
    ...(more > 0 ? [`  - and ${more} more in the report`] : []),
    `  replay: ${oneLine(reason.replay)}`,
  ]
}

function gridLines(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
  paint: (style: Style | undefined, text: string) => string,
): string[] {
  const clean = rows.map((row) => row.map((cell) => oneLine(cell, 60)))
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...clean.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[], style: (cell: string) => Style | undefined): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        const padded = right.has(column) ? cell.padStart(width) : cell.padEnd(width)
        return paint(style(cell), padded)
      })
      .join('  ')
  return [line(titles, () => 'dim'), ...clean.map((row) => line(row, (cell) => styles[cell]))]
}
