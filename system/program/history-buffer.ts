// A file in which records wait in mapped memory: there they outlive the process without a system call for each.

import { appendFileSync, readFileSync, rmSync, statSync } from 'node:fs'
import { headBytes, waitingAfter } from '../../contracts/history-buffer.ts'
import { mapFile } from './mapped-file.ts'

export interface HistoryBuffer {
  readonly lines: Uint8Array
  /** The first `length` bytes of `lines` are whole lines now. */
  commit(length: number): void
  /** `bytes` were appended to the history, and no lines wait any more. */
  appended(bytes: number): void
  remove(): void
}

/** Null where this machine cannot map `file`. @throws the system's error */
export function openHistoryBuffer(file: string, historyFile: string, bytes: number): HistoryBuffer | null {
  const memory = mapFile(file, headBytes + bytes)
  if (memory === null) return null
  const head = new Float64Array(memory, 0, 2)
  let place = sizeOf(historyFile)
  head[1] = place
  return {
    lines: new Uint8Array(memory, headBytes),
    commit(length) {
      head[0] = length
    },
    appended(bytes) {
      // In this order: lines must not be read at a place that is not theirs.
      head[0] = 0
      place += bytes
      head[1] = place
    },
    remove: () => rmSync(file, { force: true }),
  }
}

/**
 * Appends what still waits in `file` to `historyFile` and removes `file`. Only when the process that mapped it has ended.
 * @throws the system's error
 */
export function recoverHistory(file: string, historyFile: string): void {
  let buffer: Buffer
  try {
    buffer = readFileSync(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw error
  }
  const lines = waitingAfter(sizeOf(historyFile), buffer)
  if (lines.length > 0) appendFileSync(historyFile, lines)
  rmSync(file)
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
