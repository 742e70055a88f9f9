// Reads HTTP/1.1 as it passes: cuts the bytes of one direction at the ends of heads, bodies and server-sent events.
//
// It only observes: the pieces are the bytes that came, in order, none missing. What it does not understand passes
// as it is, in pieces of kind `opaque`, until the connection ends.

export interface Piece {
  readonly bytes: Buffer
  /** `event`: ends where a server-sent event does. */
  readonly kind: 'head' | 'body' | 'event' | 'opaque'
  /** Number of the message on its connection, from 0. */
  readonly message: number
  /** Of an event: its number within the message, from 1; else 0. */
  readonly event: number
  /** Whether the message ends with this piece. */
  readonly last: boolean
}

/** Longer heads are passed on unread; servers refuse them. */
const mostHeadBytes = 65_536
/** As much of a request's body is kept to see which step it belongs to. */
const mostBodyBytes = 65_536

type State =
  | { readonly kind: 'head' | 'until-close' | 'chunk-end' | 'opaque' }
  | { readonly kind: 'length' | 'chunk-data'; left: number }
  | { readonly kind: 'chunk-size' | 'trailer'; line: string }

export class HttpReader {
  /** Of answers: whether the answer to that request has no body (HEAD). */
  readonly #bodiless: ((message: number) => boolean) | null
  #state: State = { kind: 'head' }
  #head = ''
  #message = 0
  #body = ''
  #isStream = false
  #events = 0
  #lineBytes = 0
  #eventLines = 0
  /** An event ended where its chunk does: the piece ends after the chunk's own end. */
  #eventPending = false

  /** @param bodiless null: these are requests */
  constructor(bodiless: ((message: number) => boolean) | null) {
    this.#bodiless = bodiless
  }

  /** First line of the message that is being read, once its head is complete. */
  get startLine(): string {
    return this.#head.slice(0, Math.max(0, this.#head.indexOf('\r\n')))
  }

  /** Its body so far, without chunk framing, cut to 64 KiB; empty for streams. */
  get body(): string {
    return this.#body
  }

  /** Whether a stream of events has begun and not ended. */
  get inStream(): boolean {
    return this.#isStream && this.#state.kind !== 'opaque'
  }

  /** Cuts what came; `take` gets the pieces while `startLine` and `body` are those of their message. */
  push(chunk: Buffer, take: (piece: Piece) => void): void {
    let from = 0
    let at = 0
    const cut = (kind: Piece['kind'], last = false): void => {
      if (at === from && !last) return
      const event = kind === 'event' ? this.#events : 0
      take({ bytes: chunk.subarray(from, at), kind, message: this.#message, event, last })
      from = at
    }
    const end = (kind: Piece['kind']): void => {
      cut(kind, true)
      this.#begin()
    }
    while (at < chunk.length) {
      const state = this.#state
      switch (state.kind) {
        case 'head': {
          const before = this.#head.length
          this.#head += chunk.toString('latin1', at)
          const blank = this.#head.indexOf('\r\n\r\n', Math.max(0, before - 3))
          if (blank === -1) {
            at = chunk.length
            if (this.#head.length > mostHeadBytes) this.#state = { kind: 'opaque' }
            break
          }
          this.#head = this.#head.slice(0, blank + 4)
          at += blank + 4 - before
          if (this.#isInterim()) {
            cut('head')
            this.#head = ''
            break
          }
          this.#state = this.#afterHead()
          if (this.#state.kind === 'length' && this.#state.left === 0) end('head')
          else cut('head')
          break
        }
        case 'length':
        case 'chunk-data': {
          const { next, isEvent } = this.#read(chunk, at, Math.min(at + state.left, chunk.length))
          state.left -= next - at
          at = next
          if (state.kind === 'length') {
            if (state.left === 0) end(isEvent ? 'event' : 'body')
            else if (isEvent) cut('event')
          } else {
            if (isEvent && state.left > 0) cut('event')
            else this.#eventPending = isEvent
            if (state.left === 0) this.#state = { kind: 'chunk-end' }
          }
          break
        }
        case 'until-close': {
          const { next, isEvent } = this.#read(chunk, at, chunk.length)
          at = next
          if (isEvent) cut('event')
          break
        }
        case 'chunk-size': {
          const byte = chunk[at++]!
          if (byte === 0x0a) this.#state = afterSize(state.line)
          else state.line += String.fromCharCode(byte)
          if (state.line.length > 1_024) this.#state = { kind: 'opaque' }
          break
        }
        case 'chunk-end':
          if (chunk[at++] !== 0x0a) break
          this.#state = { kind: 'chunk-size', line: '' }
          if (this.#eventPending) cut('event')
          this.#eventPending = false
          break
        case 'trailer': {
          const byte = chunk[at++]!
          if (byte !== 0x0a) state.line += String.fromCharCode(byte)
          else if (state.line.replace('\r', '') === '') end('body')
          else state.line = ''
          if (state.line.length > mostHeadBytes) this.#state = { kind: 'opaque' }
          break
        }
        case 'opaque':
          at = chunk.length
          break
      }
    }
    const { kind } = this.#state
    cut(kind === 'opaque' || kind === 'head' ? kind : 'body')
  }

  #begin(): void {
    this.#message++
    this.#state = { kind: 'head' }
    this.#head = ''
    this.#body = ''
    this.#isStream = false
    this.#events = 0
    this.#lineBytes = 0
    this.#eventLines = 0
    this.#eventPending = false
  }

  #isInterim(): boolean {
    return (
      this.#bodiless !== null && /^HTTP\/1\.\d 1\d\d/.test(this.#head) && !/^HTTP\/1\.\d 101/.test(this.#head)
    )
  }

  /** How the body is framed (RFC 9112 6.3). */
  #afterHead(): State {
    const head = this.#head
    const field = (name: string): string | undefined =>
      new RegExp(`\\r\\n${name}:[ \\t]*([^\\r\\n]*)`, 'i').exec(head)?.[1]?.trim()
    this.#isStream = this.#bodiless !== null && /^text\/event-stream/i.test(field('content-type') ?? '')
    const isAnswer = this.#bodiless !== null
    if (isAnswer && !/^HTTP\/1\.\d \d{3}/.test(head)) return { kind: 'opaque' }
    if (!isAnswer && !/^\S+ \S+ HTTP\/1\.\d\r/.test(head)) return { kind: 'opaque' }
    if (isAnswer && /^HTTP\/1\.\d 101/.test(head)) return { kind: 'opaque' }
    if (this.#bodiless?.(this.#message) === true || (isAnswer && /^HTTP\/1\.\d (204|304)/.test(head)))
      return { kind: 'length', left: 0 }
    if (/chunked$/i.test(field('transfer-encoding') ?? '')) return { kind: 'chunk-size', line: '' }
    const length = field('content-length')
    if (length !== undefined) {
      const left = Number(length)
      return Number.isSafeInteger(left) && left >= 0 ? { kind: 'length', left } : { kind: 'opaque' }
    }
    return isAnswer ? { kind: 'until-close' } : { kind: 'length', left: 0 }
  }

  /** Reads body bytes up to `to`, or to the end of the first event before it. */
  #read(chunk: Buffer, at: number, to: number): { readonly next: number; readonly isEvent: boolean } {
    if (!this.#isStream) {
      if (this.#bodiless === null && this.#body.length < mostBodyBytes)
        this.#body += chunk.toString('utf8', at, to)
      return { next: to, isEvent: false }
    }
    for (let i = at; i < to; i++) {
      const byte = chunk[i]
      if (byte === 0x0d) continue
      if (byte !== 0x0a) this.#lineBytes++
      else if (this.#lineBytes > 0) {
        this.#lineBytes = 0
        this.#eventLines++
      } else if (this.#eventLines > 0) {
        this.#eventLines = 0
        this.#events++
        return { next: i + 1, isEvent: true }
      }
    }
    return { next: to, isEvent: false }
  }
}

function afterSize(line: string): State {
  const size = /^([0-9a-f]{1,8})\s*(?:;.*)?$/i.exec(line.replace('\r', ''))
  if (size === null) return { kind: 'opaque' }
  const left = Number.parseInt(size[1]!, 16)
  return left === 0 ? { kind: 'trailer', line: '' } : { kind: 'chunk-data', left }
}
