// The parts of libuv's streams that Node makes net.Socket of, by process.binding, and libuv's errors.

import { getSystemErrorName } from 'node:util'

/** What a write hands to libuv; `oncomplete` is called where not all was written at once. */
export interface WriteRequest {
  oncomplete: (status: number) => void
  /** Keeps bytes alive until they are written. */
  bytes: Uint8Array | null
}

export interface StreamBindings {
  readonly WriteWrap: new () => WriteRequest
  readonly ShutdownWrap: new () => { oncomplete: () => void }
  /** What the last call on a handle did, by the indexes below. */
  readonly state: Int32Array
  readonly readCount: number
  /** Not 0 there: the last write left something for later. */
  readonly wasAsync: number
}

export interface HandleBindings<Handle> extends StreamBindings {
  readonly Handle: new (kind: number) => Handle
  /** The kind of handle that carries data. */
  readonly socketKind: number
}

/** One of Node's own modules. Throws where this Node lacks it. */
export function uvBinding<T>(module: string): T {
  return (process as unknown as { binding(module: string): T }).binding(module)
}

/** The handle `name` of `module`; null where this Node lacks it, or one of the `calls` on it. */
export function loadHandle<Handle>(
  module: string,
  name: string,
  calls: readonly (keyof Handle & string)[],
): HandleBindings<Handle> | null {
  try {
    const found = uvBinding<Record<string, new (kind: number) => Handle>>(module)
    const { SOCKET } = uvBinding<{ constants: { SOCKET: number } }>(module).constants
    const Handle = found[name]!
    const probe = Handle.prototype as Record<string, unknown>
    if (calls.some((call) => typeof probe[call] !== 'function')) return null
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = uvBinding<
      StreamBindings & { streamBaseState: Int32Array; kReadBytesOrError: number; kLastWriteWasAsync: number }
    >('stream_wrap')
    return {
      ...{ Handle, socketKind: SOCKET, WriteWrap, ShutdownWrap },
      ...{ state: streamBaseState, readCount: kReadBytesOrError, wasAsync: kLastWriteWasAsync },
    }
  } catch {
    return null
  }
}

export function systemError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(code), { code, errno: status })
}
