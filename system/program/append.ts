// Appends text to a file, each time with one write(2).
//
// By libuv's stream handle rather than by node:fs: a program that answers a request has just run the handle's code for
// its peer, while fs.writeSync starts cold each time and takes three times as long then (docs/benchmarks.md, History).

import { closeSync, openSync, writeSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'

export interface Appender {
  /** Writes ASCII text now. @throws the system's error */
  append(text: string): void
  close(): void
}

/** The parts of libuv's pipe handle that are used here. Calls return 0 or a negative error number. */
interface PipeHandle {
  open(fd: number): number
  writeLatin1String(request: object, text: string): number
  close(): void
}

interface Bindings {
  readonly Pipe: new (kind: number) => PipeHandle
  readonly WriteWrap: new () => object
  readonly socketKind: number
}

const bindings = loadBindings()

/** Opens `file`, which is made if need be. @throws the system's error */
export function openAppender(file: string): Appender {
  const fd = openSync(file, 'a')
  const byFile: Appender = { append: (text) => void writeSync(fd, text), close: () => closeSync(fd) }
  if (bindings === null) return byFile
  const { Pipe, WriteWrap, socketKind } = bindings
  const handle = new Pipe(socketKind)
  if (handle.open(fd) !== 0) return byFile
  const request = new WriteWrap()
  return {
    append(text) {
      // A file takes all of it at once, so the request object is never used up.
      const status = handle.writeLatin1String(request, text)
      if (status !== 0) throw systemError(status)
    },
    close: () => handle.close(),
  }
}

function systemError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`${code}: the history cannot be written`), { code, errno: status })
}

function loadBindings(): Bindings | null {
  try {
    const { binding } = process as unknown as { binding(name: string): Record<string, never> }
    const { Pipe, constants } = binding('pipe_wrap') as unknown as Bindings & {
      constants: { SOCKET: number }
    }
    const { WriteWrap } = binding('stream_wrap') as unknown as Bindings
    const probe = Pipe.prototype as unknown as Record<string, unknown>
    if (typeof probe['open'] !== 'function' || typeof probe['writeLatin1String'] !== 'function') return null
    return { Pipe, WriteWrap, socketKind: constants.SOCKET }
  } catch {
    return null
  }
}
