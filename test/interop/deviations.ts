// The table of docs/reference/deviations.md as an allow list: which differences it has rows for, which rows were used.

import { readFileSync } from 'node:fs'
import type { Difference } from './exchange.ts'

/** A row of the table; the cells of `field`, `real` and `ours` are patterns. */
interface Row {
  readonly cases: string
  readonly fits: (difference: Difference) => boolean
  readonly line: string
}

const page = new URL('../../docs/reference/deviations.md', import.meta.url)

export class Deviations {
  readonly #rows: readonly Row[]
  readonly #used = new Set<Row>()

  constructor(markdown = readFileSync(page, 'utf8')) {
    this.#rows = markdown.split('\n').flatMap(readRow)
    if (this.#rows.length === 0) throw new Error('deviations.md has no table whose first column is `case`')
  }

  /** True where a row allows the difference in `caseName`; the row counts as used. */
  allows(caseName: string, difference: Difference): boolean {
    const row = this.#rows.find(
      ({ cases, fits }) => (cases === 'any' || cases === caseName) && fits(difference),
    )
    if (row !== undefined) this.#used.add(row)
    return row !== undefined
  }

  get size(): number {
    return this.#rows.length
  }

  /** Rows that have allowed nothing. */
  unused(): string[] {
    return this.#rows.filter((row) => !this.#used.has(row)).map(({ line }) => line)
  }

  /** Cases that rows name. */
  cases(): Set<string> {
    return new Set(this.#rows.map(({ cases }) => cases).filter((name) => name !== 'any'))
  }
}

/** `| case | method | field | real | ours | why | source |` */
function readRow(line: string): Row[] {
  const cells = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
  if (cells.length !== 7 || cells[0] === 'case' || /^-+$/.test(cells[0] ?? '')) return []
  const [cases = '', method = '', field = '', real = '', ours = ''] = cells.map((cell) =>
    cell.replaceAll('`', ''),
  )
  const methodFits = method === 'all' ? () => true : (text: string) => text === method
  const fieldFits = pattern(field, { '**': '.*', '*': '[^.\\[\\]]*' })
  const realFits = value(real)
  const oursFits = value(ours)
  return [
    {
      cases,
      line: line.replace(/\s+/g, ' '),
      fits: (difference) =>
        methodFits(difference.method) &&
        fieldFits(difference.field) &&
        realFits(difference.real) &&
        oursFits(difference.ours),
    },
  ]
}

/** A cell that is `-` stands for nothing, `…` for any text. */
function value(cell: string): (text: string | null) => boolean {
  if (cell === '-') return (text) => text === null
  const fits = pattern(cell, { '…': '[^]*' })
  return (text) => text !== null && fits(text)
}

function pattern(cell: string, wild: Readonly<Record<string, string>>): (text: string) => boolean {
  const words = new RegExp(`(${Object.keys(wild).map(quoted).join('|')})`)
  const parts = cell.split(words).map((part) => wild[part] ?? quoted(part))
  const whole = new RegExp(`^${parts.join('')}$`)
  return (text) => whole.test(text)
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
