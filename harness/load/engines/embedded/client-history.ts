// The client's history file: lines gathered and written in batches, for the client is not killed.

import { closeSync, openSync, writeSync } from 'node:fs'
import type { RunAnswered, RunOffered } from '../../../../contracts/history.ts'

export interface ClientHistory {
  offered(record: Omit<RunOffered, 'kind'>): void
  answered(record: Omit<RunAnswered, 'kind'>): void
  flush(): void
  close(): void
}

const batchCharacters = 64 * 1024

export const noClientHistory: ClientHistory = { offered() {}, answered() {}, flush() {}, close() {} }

/** Appends to `file`; without one records nothing. `atUs` is now, in µs of CLOCK_MONOTONIC. */
export function openClientHistory(file: string | null, atUs: number): ClientHistory {
  if (file === null) return noClientHistory
  const fd = openSync(file, 'a')
  let lines = ''
  const flush = (): void => {
    if (lines === '') return
    const bytes = Buffer.from(lines)
    lines = ''
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
  }
  const add = (line: string): void => {
    lines += `${line}\n`
    if (lines.length >= batchCharacters) flush()
  }
  add(
    JSON.stringify({
      at: atUs,
      kind: 'process.started',
      witness: 'client',
      pod: 'client',
      pid: process.pid,
      wallMs: Date.now(),
    }),
  )
  return {
    offered: (record) => add(JSON.stringify({ kind: 'run.offered', ...record })),
    answered: (record) => add(JSON.stringify({ kind: 'run.answered', ...record })),
    flush,
    close() {
      flush()
      closeSync(fd)
    },
  }
}
