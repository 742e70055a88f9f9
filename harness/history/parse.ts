// Parses the records of one pod's history file, objects or arrays; a line torn by a kill is left out, any other bad line
// is an error.

import { GauntletError } from '../../contracts/errors.ts'
import {
  fieldsInOrder,
  type HistoryRecord,
  type Witness,
  type WitnessedRecord,
} from '../../contracts/history.ts'

/** Which file it is, and who wrote the records before it, where `text` is not the file's beginning. */
export interface Source {
  /** Shown in errors, e.g. the pod's name. */
  readonly file: string
  /** Lines before `text`; default 0. */
  readonly linesBefore?: number
  readonly author?: Author
}

export interface Author {
  readonly witness: Witness
  readonly pod: string
}

export interface Parsed {
  readonly records: readonly WitnessedRecord[]
  /** Characters of `text` that were used: a last line without its newline is left for the next time. */
  readonly characters: number
  readonly lines: number
  /** The last process that wrote; undefined while nothing is written. */
  readonly author: Author | undefined
}

const kinds = {
  'process.started': true,
  'process.stopping': true,
  'run.offered': true,
  'run.answered': true,
  'run.accepted': true,
  'run.ended': true,
  'step.started': true,
  'call.sent': true,
  'call.answered': true,
  'callback.received': true,
  'callback.replied': true,
  'step.result': true,
  'backend.state': true,
  'request.routed': true,
  'execute.received': true,
  'execute.answered': true,
  'callback.sent': true,
  'callback.resolved': true,
  'callback.foreign': true,
  chaos: true,
  'pod.state': true,
  window: true,
  'pod.usage': true,
  'pod.health': true,
} as const satisfies Record<HistoryRecord['kind'], true>

/** Start of a record in the middle of a line: the process before it was killed within its write. */
const restart = /\{"at":[0-9.]+,"kind":"process\.started"/

/**
 * Parses NDJSON. Records get the witness and pod of the `process.started` before them.
 * @throws GauntletError ERR_HISTORY with file and line
 */
export function parseHistory(text: string, source: Source): Parsed {
  const records: WitnessedRecord[] = []
  let author = source.author
  let line = source.linesBefore ?? 0
  let from = 0
  for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
    line++
    const record = parseLine(text.slice(from, to), `${source.file} line ${line}`)
    from = to + 1
    if (record.kind === 'process.started') author = { witness: record.witness, pod: record.pod }
    if (author === undefined) {
      throw bad(`${source.file} line ${line}`, `${record.kind} stands before process.started`)
    }
    records.push(Object.assign(record, author))
  }
  return { records, characters: from, lines: line - (source.linesBefore ?? 0), author }
}

function parseLine(text: string, place: string): HistoryRecord {
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch {
    const start = text.search(restart)
    if (start > 0) return parseLine(text.slice(start), place)
    throw bad(place, `is no JSON: ${text.slice(0, 80)}`)
  }
  if (Array.isArray(record)) record = recordOf(record, place)
  if (typeof record !== 'object' || record === null || !('at' in record) || !('kind' in record)) {
    throw bad(place, `is no record: ${text.slice(0, 80)}`)
  }
  if (typeof record.at !== 'number' || !Number.isFinite(record.at)) throw bad(place, 'has no time')
  if (typeof record.kind !== 'string' || !Object.hasOwn(kinds, record.kind)) {
    throw bad(place, `has an unknown kind, ${String(record.kind).slice(0, 80)}`)
  }
  return record as HistoryRecord
}

/** The record that an array of values stands for. */
function recordOf([kind, at, ...values]: readonly unknown[], place: string): unknown {
  if (typeof kind !== 'string' || !Object.hasOwn(fieldsInOrder, kind)) {
    throw bad(place, `has an unknown kind, ${String(kind).slice(0, 80)}`)
  }
  const fields: readonly string[] = fieldsInOrder[kind as keyof typeof fieldsInOrder]
  if (values.length !== fields.length) {
    throw bad(place, `has ${values.length} values, where ${kind} has ${fields.length}`)
  }
  const record: Record<string, unknown> = { at, kind }
  for (const [index, value] of values.entries()) {
    if (value !== null) record[fields[index]!] = value
  }
  return record
}

function bad(place: string, problem: string): GauntletError {
  return new GauntletError('ERR_HISTORY', problem, {
    field: place,
    fix: 'let nothing but the program write its history file',
  })
}
