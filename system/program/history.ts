// Writes a program's history records: each leaves the process before the bytes it witnesses do.
//
// Lines wait to be written together: until just before this thread sends anything to a peer, for by then others may know
// what they witness, and 100 ms at most. docs/benchmarks.md has what that saves.

import type { HistoryRecord, Witness } from '../../contracts/history.ts'
import { openAppender } from './append.ts'
import { lineOf } from './history-line.ts'
import { outgoing } from './outgoing.ts'

/** A record without the time, which `record` adds; what is undefined is left out. */
export type NewRecord = HistoryRecord extends infer R
  ? R extends HistoryRecord
    ? OrUndefined<Omit<R, 'at'>>
    : never
  : never

type OrUndefined<T> = {
  [Name in keyof T]: undefined extends T[Name] ? T[Name] | undefined : T[Name]
}

export interface HistoryWriter {
  /** False: nothing is recorded, so callers can skip building records. */
  readonly enabled: boolean
  /** Takes a record down; it is written before any bytes leave for a peer. */
  record(record: NewRecord): void
  /** Writes what was taken down, with one write(2), so a SIGKILL afterwards cannot lose it. */
  flush(): void
  close(): void
}

/** ms for which a record that nobody outside can know of may wait. */
const waitMs = 100
/** So many characters are written at once, whatever is sent. */
const mostWaiting = 65_536

const originUs = Number(process.hrtime.bigint()) / 1_000 - performance.now() * 1_000

/** µs of CLOCK_MONOTONIC, the time base of every record. */
export function monotonicUs(): number {
  return Math.floor(performance.now() * 1_000 + originUs)
}

/** A writer that records nothing. */
export const noHistory: HistoryWriter = { enabled: false, record() {}, flush() {}, close() {} }

/**
 * Opens the file named by HISTORY_FILE for appending and writes `process.started`;
 * without the variable returns `noHistory`.
 */
export function openHistory(
  start: { readonly witness: Witness; readonly pod: string; readonly instanceId?: string },
  file: string | undefined = process.env['HISTORY_FILE'],
): HistoryWriter {
  if (file === undefined || file === '') return noHistory
  const writer = continueHistory(file)
  writer.record({ kind: 'process.started', ...start, pid: process.pid, wallMs: Date.now() })
  writer.flush()
  return writer
}

/** A further writer, of another thread, for a history that `openHistory` began. */
export function continueHistory(file: string): HistoryWriter {
  if (file === '') return noHistory
  const appender = openAppender(file)
  let waiting = ''
  const flush = (): void => {
    if (outgoing.before === flush) outgoing.before = null
    if (waiting === '') return
    const text = waiting
    waiting = ''
    appender.append(text)
  }
  const clock = setInterval(flush, waitMs).unref()
  let open = true
  const close = (): void => {
    if (!open) return
    flush()
    open = false
    clearInterval(clock)
    process.off('exit', close)
    appender.close()
  }
  process.on('exit', close)
  return {
    enabled: true,
    record(record) {
      if (!open) return
      waiting += lineOf(monotonicUs(), record)
      if (outgoing.before !== flush) {
        outgoing.before?.()
        outgoing.before = flush
      }
      if (waiting.length >= mostWaiting) flush()
    },
    flush,
    close,
  }
}
