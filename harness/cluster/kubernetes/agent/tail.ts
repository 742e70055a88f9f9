// Reads a file that grows, and the records in it that the agent itself must know.

import { closeSync, fstatSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs'

const chunkBytes = 256 * 1024

/** Bytes of the file from `offset` on, at most 256 KiB; empty where there are none yet. */
export function readFrom(file: string, offset: number): Buffer {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return Buffer.alloc(0)
  }
  try {
    const size = Math.min(chunkBytes, Math.max(0, fstatSync(fd).size - offset))
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, size === 0 ? 0 : readSync(fd, bytes, 0, size, offset))
  } finally {
    closeSync(fd)
  }
}

/** Bytes of the file now. */
export function sizeOf(file: string): number {
  try {
    const fd = openSync(file, 'r')
    try {
      return fstatSync(fd).size
    } finally {
      closeSync(fd)
    }
  } catch {
    return 0
  }
}

/** Process id of the last `process.started` record; null where there is none. */
export function startedPid(file: string): number | null {
  let pid: number | null = null
  for (const line of lines(file)) {
    const match = /^\{"at":[\d.]+,"kind":"process\.started".*"pid":(\d+)/.exec(line)
    if (match !== null) pid = Number(match[1])
  }
  return pid
}

/**
 * Leaves only what stands at any time: who writes, and the state of each backend. To be called while nothing is
 * recorded; the program appends, so that it needs not know.
 */
export function compact(file: string): void {
  const standing = new Map<string, string>()
  for (const line of lines(file)) {
    const [, kind, backend] = /^\{"at":[\d.]+,"kind":"([^"]+)"(?:,"backend":"([^"]+)")?/.exec(line) ?? []
    if (kind === 'process.started') {
      standing.clear()
      standing.set(kind, line)
    } else if (kind === 'backend.state' && backend !== undefined) {
      standing.delete(backend)
      standing.set(backend, line)
    }
  }
  truncateSync(file, 0)
  writeFileSync(file, [...standing.values()].map((line) => `${line}\n`).join(''), { flag: 'a' })
}

/** Whole lines of the file; a last one without its end is left out. */
function* lines(file: string): Generator<string> {
  let rest = ''
  let offset = 0
  const decoder = new TextDecoder()
  for (let bytes = readFrom(file, offset); bytes.length > 0; bytes = readFrom(file, offset)) {
    offset += bytes.length
    const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
}
