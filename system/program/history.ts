// Writes a program's history records: each leaves the process before the bytes it witnesses do.

import { closeSync, openSync, writeSync } from 'node:fs'
import type { HistoryRecord, Witness } from '../../contracts/history.ts'

/** A record without the time, which `record` adds. */
export type NewRecord = HistoryRecord extends infer R
  ? R extends HistoryRecord
    ? Omit<R, 'at'>
    : never
  : never

export interface HistoryWriter {
  /** False: nothing is recorded, so callers can skip building records. */
  readonly enabled: boolean
  /** Writes one record now, with one write(2), so a SIGKILL afterwards cannot lose it. */
  record(record: NewRecord): void
  close(): void
}

/** µs of CLOCK_MONOTONIC, the time base of every record. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

/** A writer that records nothing. */
export const noHistory: HistoryWriter = { enabled: false, record() {}, close() {} }

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
  return writer
}

/** A further writer, of another thread, for a history that `openHistory` began. */
export function continueHistory(file: string): HistoryWriter {
  if (file === '') return noHistory
  const fd = openSync(file, 'a')
  let open = true
  return {
    enabled: true,
    record(record) {
      if (!open) return
      writeSync(fd, `${JSON.stringify({ at: monotonicUs(), ...record })}\n`)
    },
    close() {
      if (open) closeSync(fd)
      open = false
    },
  }
}
