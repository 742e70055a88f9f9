// Where a message's body ends: by length, by chunks (read strictly), or with the connection.

import { CR, isToken, isValue, LF } from './head/bytes.ts'

/** All bytes are used up and the body goes on. */
export const bodyMore = 0
/** `from` to `to` are body bytes; `pos` is behind them. */
export const bodyPiece = 1
/** The body has ended; `pos` is the first byte behind it. */
export const bodyDone = 2
/** The framing is malformed: `problem` says how. */
export const bodyBad = 3

// States of the chunk reader, in the order of the wire.
const sizeFirst = 0
const sizeNext = 1
const extensionName = 2
const sizeLf = 3
const data = 4
const dataCr = 5
const dataLf = 6
const trailerStart = 7
const trailerName = 8
const trailerValue = 9
const trailerLf = 10
const endLf = 11
const extensionFirst = 12
const extensionValue = 13
const extensionText = 14
const extensionEscape = 15
const extensionAfterText = 16

const SEMICOLON = 0x3b
const EQUALS = 0x3d
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** 13 hex digits hold every length that a double counts exactly. */
const maxSizeDigits = 13
/** Trailers that would say how the body they end is framed, or that no message follows (RFC 9110 6.5.1). */
const framingTrailers = ['content-length', 'transfer-encoding', 'connection']
/** Bytes of all extensions of one body, and of its trailers: they are read and dropped, so keep them few. */
const maxDroppedBytes = 8_192

/**
 * Reads one body. Call `next` until it returns other than `bodyPiece`; it keeps no bytes, so pieces are
 * offsets into what it was given.
 */
export class BodyReader {
  from = 0
  to = 0
  pos = 0
  problem = ''
  /** Bytes still to come: of the body, or of the chunk. */
  #left: number
  readonly #kind: 'length' | 'chunked' | 'close'
  #state = sizeFirst
  #digits = 0
  #dropped = 0
  /** Start of a trailer's name, lower-case. */
  #trailer = ''
  done: boolean

  /** @param length used by kind `length` */
  constructor(kind: 'length' | 'chunked' | 'close', length: number) {
    this.#kind = kind
    this.#left = kind === 'length' ? length : 0
    this.done = kind === 'length' && length === 0
  }

  /** The body ends where the connection does. */
  get untilClose(): boolean {
    return this.#kind === 'close'
  }

  next(bytes: Uint8Array, pos: number, end: number): number {
    if (this.done) {
      this.pos = pos
      return bodyDone
    }
    if (pos >= end) {
      this.pos = end
      return bodyMore
    }
    if (this.#kind === 'chunked') return this.#chunked(bytes, pos, end)
    this.from = pos
    this.to = this.#kind === 'close' ? end : Math.min(end, pos + this.#left)
    this.pos = this.to
    if (this.#kind === 'length') {
      this.#left -= this.to - pos
      this.done = this.#left === 0
    }
    return bodyPiece
  }

  #chunked(bytes: Uint8Array, pos: number, end: number): number {
    while (pos < end) {
      if (this.#state === data) {
        this.from = pos
        this.to = Math.min(end, pos + this.#left)
        this.pos = this.to
        this.#left -= this.to - pos
        if (this.#left === 0) this.#state = dataCr
        return bodyPiece
      }
      const byte = bytes[pos++]!
      switch (this.#state) {
        case sizeFirst:
        case sizeNext: {
          const digit = hexDigit(byte)
          if (digit !== -1) {
            if (++this.#digits > maxSizeDigits) return this.#bad('a chunk size that is too long')
            this.#left = this.#left * 16 + digit
            this.#state = sizeNext
          } else if (this.#state === sizeFirst) return this.#bad('a chunk without a size')
          else if (byte === CR) this.#state = sizeLf
          else if (byte === SEMICOLON) this.#state = extensionFirst
          else return this.#bad('a malformed chunk size')
          break
        }
        case extensionFirst:
        case extensionName:
        case extensionValue:
        case extensionText:
        case extensionEscape:
        case extensionAfterText:
          if (++this.#dropped > maxDroppedBytes) return this.#bad('chunk extensions that are too long')
          this.#state = nextInExtension(this.#state, byte)
          if (this.#state === -1) return this.#bad('a malformed chunk extension')
          break
        case sizeLf:
          if (byte !== LF) return this.#bad('a chunk size without CRLF')
          this.#digits = 0
          this.#state = this.#left === 0 ? trailerStart : data
          break
        case dataCr:
          if (byte !== CR) return this.#bad('a chunk longer than its size')
          this.#state = dataLf
          break
        case dataLf:
          if (byte !== LF) return this.#bad('a chunk without CRLF behind it')
          this.#left = 0
          this.#state = sizeFirst
          break
        case trailerStart:
          if (byte === CR) this.#state = endLf
          else if (isToken[byte] === 1) {
            this.#state = trailerName
            this.#trailer = String.fromCharCode(byte | 0x20)
          } else return this.#bad('a malformed trailer')
          break
        case trailerName:
          if (byte === 0x3a) {
            if (framingTrailers.includes(this.#trailer)) return this.#bad('framing in a trailer')
            this.#state = trailerValue
          } else if (isToken[byte] !== 1) return this.#bad('a malformed trailer')
          else if (this.#trailer.length < 32) this.#trailer += String.fromCharCode(byte | 0x20)
          if (++this.#dropped > maxDroppedBytes) return this.#bad('trailers that are too long')
          break
        case trailerValue:
          if (byte === CR) this.#state = trailerLf
          else if (isValue[byte] !== 1) return this.#bad('a malformed trailer')
          if (++this.#dropped > maxDroppedBytes) return this.#bad('trailers that are too long')
          break
        case trailerLf:
          if (byte !== LF) return this.#bad('a trailer without CRLF')
          this.#state = trailerStart
          break
        case endLf:
          if (byte !== LF) return this.#bad('a last chunk without CRLF')
          this.done = true
          this.pos = pos
          return bodyDone
      }
    }
    this.pos = end
    return bodyMore
  }

  #bad(problem: string): number {
    this.problem = problem
    return bodyBad
  }
}

/** The state behind `byte` in `;name=token` or `;name="text"` (RFC 9112 7.1.1, without its white space); -1: none. */
function nextInExtension(state: number, byte: number): number {
  switch (state) {
    case extensionText:
      if (byte === QUOTE) return extensionAfterText
      if (byte === BACKSLASH) return extensionEscape
      return isValue[byte] === 1 ? extensionText : -1
    case extensionEscape:
      return isValue[byte] === 1 ? extensionText : -1
    case extensionAfterText:
      return byte === CR ? sizeLf : byte === SEMICOLON ? extensionFirst : -1
    case extensionValue:
      if (byte === QUOTE) return extensionText
      // A token value ends as a name does; a second `=` in it is malformed all the same.
      return isToken[byte] === 1 ? extensionName : -1
    default:
      if (isToken[byte] === 1) return extensionName
      if (state === extensionFirst) return -1
      return byte === CR
        ? sizeLf
        : byte === SEMICOLON
          ? extensionFirst
          : byte === EQUALS
            ? extensionValue
            : -1
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
