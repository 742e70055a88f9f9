// Reads HTTP/1.1 messages from bytes as they come: head, body in its framing, end. Strict: what two readers
// could frame differently is refused.

export type Framing =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }

export interface Head {
  readonly framing: Framing
}

export interface MessageSink<H extends Head> {
  onHead(head: H): void
  /** `bytes` are valid during the call only; `last`: the body is whole now. */
  onData(bytes: Buffer, last: boolean): void
  /** The message is whole. */
  onWhole(head: H): void
}

/** Bytes that are no message. `status`: what a server answers. */
export class BadMessage extends Error {
  readonly status: number

  constructor(problem: string, status = 400) {
    super(problem)
    this.name = 'BadMessage'
    this.status = status
  }
}

/** Bytes of a head, of a trailer, and of a line between chunks. */
export const maxHeadBytes = 16 * 1024
const maxLineBytes = 256

const headEnd = Buffer.from('\r\n\r\n')

type Phase = 'head' | 'length' | 'until-close' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailer' | 'over'

/** One message at a time; `restart` makes it ready for the next. */
export class MessageParser<H extends Head> {
  readonly #parseHead: (text: string) => H | null
  readonly #sink: MessageSink<H>
  #phase: Phase = 'head'
  #head: H | null = null
  /** Bytes of a head or a line that is not whole yet. */
  #held: Buffer | null = null
  #left = 0
  #trailerBytes = 0

  /** @param parseHead text without its last empty line to head; null for an interim answer, which is skipped */
  constructor(parseHead: (text: string) => H | null, sink: MessageSink<H>) {
    this.#parseHead = parseHead
    this.#sink = sink
  }

  get over(): boolean {
    return this.#phase === 'over'
  }

  /** Whether a message has begun and is not over. */
  get begun(): boolean {
    return this.#held !== null || (this.#phase !== 'head' && this.#phase !== 'over')
  }

  restart(): void {
    this.#phase = 'head'
    this.#head = null
    this.#trailerBytes = 0
  }

  /**
   * Takes the next bytes of the connection, which are valid during the call, and returns what comes after the
   * message once it is over.
   * @throws BadMessage
   */
  push(bytes: Buffer): Buffer | null {
    if (this.#held !== null) {
      bytes = Buffer.concat([this.#held, bytes])
      this.#held = null
    }
    let at = 0
    while (at < bytes.length && this.#phase !== 'over') at = this.#step(bytes, at)
    return at < bytes.length ? bytes.subarray(at) : null
  }

  /**
   * The peer has sent its last byte.
   * @throws BadMessage where that is in the middle of the message
   */
  end(): void {
    if (this.#phase === 'until-close') this.#finish()
    else if (this.#phase !== 'over') throw new BadMessage('connection closed before message completed')
  }

  /** Index up to which `bytes` are used up. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#phase) {
      case 'head':
        return this.#readHead(bytes, at)
      case 'length':
      case 'chunk': {
        const end = Math.min(bytes.length, at + this.#left)
        this.#left -= end - at
        this.#sink.onData(
          at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end),
          this.#left === 0 && this.#phase === 'length',
        )
        if (this.#left > 0) return end
        if (this.#phase === 'chunk') this.#phase = 'chunk-end'
        else this.#finish()
        return end
      }
      case 'until-close':
        this.#sink.onData(at === 0 ? bytes : bytes.subarray(at), false)
        return bytes.length
      default:
        return this.#readLine(bytes, at)
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(headEnd, at)
    if (end === -1 || end - at > maxHeadBytes) {
      if (end !== -1 || bytes.length - at > maxHeadBytes) throw new BadMessage('head is too large', 431)
      this.#held = Buffer.from(bytes.subarray(at))
      return bytes.length
    }
    const next = end + headEnd.length
    const head = this.#parseHead(bytes.toString('latin1', at, end))
    if (head === null) return next
    this.#head = head
    const { framing } = head
    if (framing.kind === 'chunked') this.#phase = 'chunk-line'
    else if (framing.kind === 'until-close') this.#phase = 'until-close'
    else {
      this.#phase = 'length'
      this.#left = framing.bytes
    }
    this.#sink.onHead(head)
    if (this.#phase === 'length' && this.#left === 0) this.#finish()
    return next
  }

  /** A line of the chunked framing: a size, the end of a chunk, or a field of the trailer. */
  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(0x0a, at)
    const limit = this.#phase === 'trailer' ? maxHeadBytes : maxLineBytes
    if (end === -1 || end - at > limit) {
      if (end !== -1 || bytes.length - at > limit) throw new BadMessage('line between chunks is too long')
      this.#held = Buffer.from(bytes.subarray(at))
      return bytes.length
    }
    if (end === at || bytes[end - 1] !== 0x0d) throw new BadMessage('line between chunks is malformed')
    const text = bytes.toString('latin1', at, end - 1)
    if (this.#phase === 'chunk-line') {
      const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r]*)?$/.exec(text)
      if (size === null) throw new BadMessage('chunk size is malformed')
      this.#left = Number.parseInt(size[1] as string, 16)
      this.#phase = this.#left === 0 ? 'trailer' : 'chunk'
    } else if (this.#phase === 'chunk-end') {
      if (text !== '') throw new BadMessage('chunk is longer than its size')
      this.#phase = 'chunk-line'
    } else {
      this.#trailerBytes += end - at
      if (this.#trailerBytes > maxHeadBytes) throw new BadMessage('trailer is too large')
      if (text === '') this.#finish()
    }
    return end + 1
  }

  #finish(): void {
    this.#phase = 'over'
    this.#sink.onWhole(this.#head as H)
  }
}
