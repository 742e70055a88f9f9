// One TCP connection as its owner sees it: bytes in by callback, text and bytes out, backpressure, an end.

import type { Socket } from 'node:net'
import { outgoing } from './outgoing.ts'

/** With this many bytes waiting to be written the other side is paused; when all are written it goes on. */
export const highWaterBytes = 65_536

/** What became of a write. */
export const written = 0
/** The peer reads too slowly: wait for `onDrained`. */
export const waits = 1
/** The connection is broken and not a byte of this left; `onClosed` follows. */
export const notWritten = 2
export type WriteResult = typeof written | typeof waits | typeof notWritten

/** What a link tells its owner. After `onClosed` nothing more comes. */
export interface LinkOwner {
  /** `bytes` from `start` to `end` arrived; they are valid during the call only. */
  onBytes(bytes: Buffer, start: number, end: number): void
  /** The peer sends no more. */
  onEnd(): void
  /** All that waited is written. */
  onDrained(): void
  /** The connection is gone; `error` where it did not end by agreement. */
  onClosed(error: NodeJS.ErrnoException | null): void
}

/** A connection that its owner opens is also told when it is there. */
export interface LinkOpener extends LinkOwner {
  onConnected(): void
}

/** A head kept as bytes, with room behind it for a body. */
export interface Packed {
  /** The head with the bytes from `from` to `to` behind it: valid until the next call of this or of `withText`. */
  withBytes(bytes: Buffer, from: number, to: number): Uint8Array
  /** The same for a body in latin1 text. */
  withText(body: string): Uint8Array
  /** What was returned last is not written yet: it must not change any more. */
  giveAway(): void
}

export interface Link {
  /** Who hears of it; it may change hands. */
  owner: LinkOwner
  readonly open: boolean
  /** Bytes that wait for the peer to read. */
  readonly waitingBytes: number
  /** Writes latin1 text. */
  writeText(text: string): WriteResult
  /** Writes bytes, which must not change afterwards. */
  writeBytes(bytes: Buffer): WriteResult
  /** Writes `head` with the bytes from `from` to `to` behind it, which may change afterwards. */
  writePacked(head: Packed, bytes: Buffer, from: number, to: number): WriteResult
  /** Writes `head` with latin1 text behind it. */
  writePackedText(head: Packed, body: string): WriteResult
  pause(): void
  resume(): void
  /** Sends what waits, then says that no more comes. */
  end(): void
  /** Closes now; what waits is dropped. The owner gets no `onClosed`. */
  destroy(): void
  /** Aborts with a TCP reset, which the peer cannot take for a proper end. The owner gets no `onClosed`. */
  reset(): void
}

/** A link over a net.Socket: for TLS, and where tcp-link.ts finds no TCP of the kind it knows. */
export class SocketLink implements Link {
  owner: LinkOwner
  readonly #socket: Socket
  #error: NodeJS.ErrnoException | null = null
  open = true

  constructor(socket: Socket, owner: LinkOwner) {
    this.#socket = socket
    this.owner = owner
    socket.on('data', (bytes) => {
      if (this.open) this.owner.onBytes(bytes, 0, bytes.length)
    })
    socket.on('end', () => {
      if (this.open) this.owner.onEnd()
    })
    socket.on('drain', () => {
      if (this.open) this.owner.onDrained()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error
    })
    socket.on('close', () => this.#closed())
  }

  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  writeText(text: string): WriteResult {
    if (!this.open) return notWritten
    outgoing.before?.()
    this.#socket.write(text, 'latin1')
    return this.#socket.writableLength < highWaterBytes ? written : waits
  }

  writeBytes(bytes: Buffer): WriteResult {
    if (!this.open) return notWritten
    outgoing.before?.()
    this.#socket.write(bytes)
    return this.#socket.writableLength < highWaterBytes ? written : waits
  }

  writePacked(head: Packed, bytes: Buffer, from: number, to: number): WriteResult {
    return this.writeBytes(Buffer.from(head.withBytes(bytes, from, to)))
  }

  writePackedText(head: Packed, body: string): WriteResult {
    return this.writeBytes(Buffer.from(head.withText(body)))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    if (this.open) this.#socket.end()
  }

  destroy(): void {
    this.open = false
    this.#socket.destroy()
  }

  reset(): void {
    this.open = false
    this.#socket.resetAndDestroy()
  }

  #closed(): void {
    if (!this.open) return
    this.open = false
    this.owner.onClosed(this.#error)
  }
}
