// Appends text to a file, each time with one write(2).
//
// By libuv's stream handle rather than by node:fs: a program that answers a request has just run the handle's code for
// its peer, while fs.writeSync starts cold each time and takes three times as long then (docs/benchmarks.md, History).

import { closeSync, openSync, writeSync } from 'node:fs'
import { loadHandle, systemError } from './uv.ts'

export interface Appender {
  /** Writes the first `length` of `bytes`, now. @throws the system's error */
  append(bytes: Uint8Array, length: number): void
  close(): void
}

/** The parts of libuv's pipe handle that are used here. Calls return 0 or a negative error number. */
interface PipeHandle {
  open(fd: number): number
  writeBuffer(request: object, bytes: Uint8Array): number
  close(): void
}

const bindings = loadHandle<PipeHandle>('pipe_wrap', 'Pipe', ['open', 'writeBuffer'])

/** Opens `file`, which is made if need be. @throws the system's error */
export function openAppender(file: string): Appender {
  const fd = openSync(file, 'a')
  const byFile: Appender = {
    append: (bytes, length) => void writeSync(fd, bytes, 0, length),
    close: () => closeSync(fd),
  }
  if (bindings === null) return byFile
  const { Handle, WriteWrap, socketKind, state, wasAsync } = bindings
  const handle = new Handle(socketKind)
  if (handle.open(fd) !== 0) return byFile
  const request = new WriteWrap()
  return {
    append(bytes, length) {
      const status = handle.writeBuffer(request, bytes.subarray(0, length))
      if (status !== 0) throw Object.assign(systemError(status), { message: `${file} cannot be written` })
      // A file takes all at once as long as there is room for it.
      if (state[wasAsync] !== 0) throw Object.assign(new Error(`${file} is cut: no room`), { code: 'ENOSPC' })
    },
    close: () => handle.close(),
  }
}
