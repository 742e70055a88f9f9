// A request body that comes in chunks (RFC 9112 7.1): bytes in, whole body out, or why it is refused.

import { Gatherer } from '../wire/gather.ts'
import { readField } from './head.ts'

export interface ChunkReader {
  /**
   * Takes bytes from `from` on.
   * @returns the index after the body's last byte where it is whole, -1 where more must come, or a refusal
   */
  push(bytes: Buffer, from: number): number | 'malformed' | 'too large'
  body(): Buffer
  /** Bytes of memory that the body takes so far. */
  readonly capacity: number
}

/** Digits of a chunk's size; 2^32 is far above any limit of a body. */
const maxSizeDigits = 8
/** Bytes of chunk extensions and trailers, which are read and dropped. */
const maxDroppedBytes = 16 * 1024
/** Extensions of a chunk: `;name`, `;name=token`, `;name="text"`, with blanks around `;` and `=`. */
const extensions =
  /^(?:[ \t]*;[ \t]*[\w!#$%&'*+.^`|~-]+(?:[ \t]*=[ \t]*(?:[\w!#$%&'*+.^`|~-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)+$/
/** Characters of the extensions of one chunk. */
const maxExtensionChars = 256

type State = 'size' | 'extension' | 'size LF' | 'data' | 'data CR' | 'data LF' | 'trailer' | 'end LF'

export function createChunkReader(maxBodyBytes: number): ChunkReader {
  const parts = new Gatherer()
  let state: State = 'size'
  let bodyBytes = 0
  let droppedBytes = 0
  let digits = ''
  let extension = ''
  let left = 0
  /** The trailer line that is being read. */
  let line = ''

  const push = (bytes: Buffer, from: number): number | 'malformed' | 'too large' => {
    let at = from
    while (at < bytes.length) {
      if (state === 'data') {
        const part = bytes.subarray(at, at + left)
        parts.add(part)
        at += part.length
        left -= part.length
        if (left === 0) state = 'data CR'
        continue
      }
      const byte = bytes[at++] as number
      switch (state) {
        case 'size': {
          const digit = String.fromCharCode(byte)
          if (/[0-9a-fA-F]/.test(digit) && digits.length < maxSizeDigits) digits += digit
          else if (digits === '') return 'malformed'
          else if (byte === cr) state = 'size LF'
          else if (byte === semicolon) {
            state = 'extension'
            extension = ';'
          } else return 'malformed'
          break
        }
        case 'extension':
          if (++droppedBytes > maxDroppedBytes) return 'too large'
          if (byte !== cr) extension += String.fromCharCode(byte)
          else if (extensions.test(extension)) state = 'size LF'
          else return 'malformed'
          if (extension.length > maxExtensionChars) return 'too large'
          break
        case 'size LF':
          if (byte !== lf) return 'malformed'
          left = Number.parseInt(digits, 16)
          digits = ''
          bodyBytes += left
          if (bodyBytes > maxBodyBytes) return 'too large'
          state = left === 0 ? 'trailer' : 'data'
          break
        case 'data CR':
          if (byte !== cr) return 'malformed'
          state = 'data LF'
          break
        case 'data LF':
          if (byte !== lf) return 'malformed'
          state = 'size'
          break
        case 'trailer':
          if (++droppedBytes > maxDroppedBytes) return 'too large'
          if (byte === cr) state = 'end LF'
          else line += String.fromCharCode(byte)
          break
        case 'end LF':
          if (byte !== lf) return 'malformed'
          if (line === '') return at
          if (readField(line, new Map()) !== null) return 'malformed'
          line = ''
          state = 'trailer'
      }
    }
    return -1
  }
  return {
    push,
    body: () => parts.take(),
    get capacity() {
      return parts.capacity
    },
  }
}

const cr = 0x0d
const lf = 0x0a
const semicolon = 0x3b
