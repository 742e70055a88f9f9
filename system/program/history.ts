// Writes a program's history records: each leaves the process before the bytes it witnesses do.
//
// Lines wait to be written together. Where HISTORY_BUFFER names a file they do so in memory that outlives the process, a
// second at most. Elsewhere they wait until just before this thread sends anything to a peer, for by then others may know
// what they witness. docs/decisions/040-records-in-mapped-memory.md has why.

import type { HistoryRecord, Witness } from '../../contracts/history.ts'
import { openAppender } from './append.ts'
import { openHistoryBuffer, recoverHistory } from './history-buffer.ts'
import { Lines, linesBytes, longLine } from './history-line.ts'
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
  /** Takes a record down; a SIGKILL cannot lose it once bytes have left for a peer. */
  record(record: NewRecord): void
  /** From now on a SIGKILL can lose none that was taken down, though no bytes have left. */
  flush(): void
  close(): void
}

/**
 * ms for which a record that nobody outside can know of may wait. A timer that fires costs 100 us in a process that rests;
 * ten a second were a fifth of what all the history cost.
 */
const waitMs = 1_000

const encoder = new TextEncoder()
const originUs = Number(process.hrtime.bigint()) / 1_000 - performance.now() * 1_000

/** µs of CLOCK_MONOTONIC, the time base of every record. */
export function monotonicUs(): number {
  return Math.floor(performance.now() * 1_000 + originUs)
}

/** A writer that records nothing. */
export const noHistory: HistoryWriter = { enabled: false, record() {}, flush() {}, close() {} }

/**
 * Opens the file named by HISTORY_FILE for appending, puts there what a killed process left in HISTORY_BUFFER, and writes
 * `process.started`; without HISTORY_FILE returns `noHistory`.
 * @throws the system's error
 */
export function openHistory(
  start: { readonly witness: Witness; readonly pod: string; readonly instanceId?: string },
  file: string | undefined = process.env['HISTORY_FILE'],
  bufferFile: string = process.env['HISTORY_BUFFER'] ?? '',
): HistoryWriter {
  if (file === undefined || file === '') return noHistory
  if (bufferFile !== '') recoverHistory(bufferFile, file)
  const writer = continueHistory(file, bufferFile)
  writer.record({ kind: 'process.started', ...start, pid: process.pid, wallMs: Date.now() })
  writer.flush()
  return writer
}

/** A further writer, of another thread, for a history that `openHistory` began. */
export function continueHistory(file: string, bufferFile = ''): HistoryWriter {
  if (file === '') return noHistory
  const appender = openAppender(file)
  const buffer = bufferFile === '' ? null : openHistoryBuffer(bufferFile, file, linesBytes)
  const lines = new Lines(buffer?.lines)
  const append = (bytes: Uint8Array, length: number): void => {
    appender.append(bytes, length)
    buffer?.appended(length)
  }
  const write = (): void => {
    if (outgoing.before === write) outgoing.before = null
    const { length } = lines
    if (length === 0) return
    lines.length = 0
    append(lines.bytes, length)
  }
  let timed = false
  const onTime = (): void => {
    timed = false
    write()
  }
  const timer = setTimeout(onTime, waitMs).unref()
  let open = true
  const close = (): void => {
    if (!open) return
    write()
    open = false
    clearTimeout(timer)
    process.off('exit', close)
    if (outgoing.beforeFigures === write) outgoing.beforeFigures = null
    appender.close()
    buffer?.remove()
  }
  process.on('exit', close)
  outgoing.beforeFigures = write
  return {
    enabled: true,
    record(record) {
      if (!open) return
      const at = monotonicUs()
      if (!lines.add(at, record)) {
        write()
        const line = encoder.encode(longLine(at, record))
        append(line, line.length)
        return
      }
      if (buffer !== null) buffer.commit(lines.length)
      else if (outgoing.before !== write) {
        outgoing.before?.()
        outgoing.before = write
      }
      if (lines.full) write()
      if (!timed) {
        timed = true
        timer.refresh()
      }
    },
    flush: buffer === null ? write : () => {},
    close,
  }
}
