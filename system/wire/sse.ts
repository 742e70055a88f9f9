// Server-sent events: bytes of a stream to the data of its events, and a message to an event.

import { StringDecoder } from 'node:string_decoder'
import { GauntletError } from '../../contracts/errors.ts'

/** Characters one event may hold by default. */
export const defaultMaxEventChars = 16 * 1024 * 1024

export interface SseDecoder {
  /**
   * Takes the next bytes of the stream and calls `onData` for each event that they complete.
   * @throws GauntletError ERR_STREAM_LIMIT where an event is longer than the limit
   */
  push(chunk: Uint8Array): void
  /** The stream has ended: a last event without its blank line still counts. */
  end(): void
}

/**
 * A decoder for one stream. Lines may end in LF, CRLF or CR, `data:` may lack its space, several data lines
 * are joined by LF, chunks may cut characters anywhere; comments and other fields are ignored.
 */
export function createSseDecoder(
  onData: (data: string) => void,
  maxEventChars: number = defaultMaxEventChars,
): SseDecoder {
  /** Made once a chunk ends within what may be a character of several bytes: few streams need one. */
  let characters: StringDecoder | null = null
  let line = ''
  let data: string | null = null
  let first = true
  let afterCr = false

  const endLine = (text: string): void => {
    if (text === '') {
      if (data !== null) {
        const whole = data
        data = null
        onData(whole)
      }
      return
    }
    const value = text.startsWith('data:')
      ? text.slice(text.charCodeAt(5) === space ? 6 : 5)
      : text === 'data'
        ? ''
        : null
    if (value === null) return
    data = data === null ? value : `${data}\n${value}`
    if (data.length > maxEventChars) throw tooLong(maxEventChars)
  }

  const take = (text: string): void => {
    let at = 0
    if (first && text !== '') {
      first = false
      if (text.charCodeAt(0) === byteOrderMark) at = 1
    }
    let cr = text.indexOf('\r', at)
    while (at < text.length) {
      if (afterCr) {
        afterCr = false
        if (text.charCodeAt(at) === lineFeed) at++
      }
      const lf = text.indexOf('\n', at)
      if (cr !== -1 && cr < at) cr = text.indexOf('\r', at)
      const end = cr !== -1 && (lf === -1 || cr < lf) ? cr : lf
      if (end === -1) {
        line += text.slice(at)
        if (line.length > maxEventChars) throw tooLong(maxEventChars)
        return
      }
      const whole = line + text.slice(at, end)
      line = ''
      afterCr = end === cr
      at = end + 1
      endLine(whole)
    }
  }

  return {
    push(chunk) {
      const last = chunk[chunk.length - 1]
      if (characters === null && last !== undefined && last < 0x80 && chunk instanceof Buffer) {
        take(chunk.toString())
        return
      }
      characters ??= new StringDecoder('utf8')
      take(characters.write(chunk as Buffer))
    },
    end() {
      if (characters !== null) take(characters.end())
      const last = line
      line = ''
      if (last !== '') endLine(last)
      endLine('')
    },
  }
}

const lineFeed = 0x0a
const space = 0x20
const byteOrderMark = 0xfeff

function tooLong(limit: number): GauntletError {
  return new GauntletError('ERR_STREAM_LIMIT', `an event is longer than ${limit} characters`, {
    field: 'stream',
    fix: 'send less in one event',
  })
}

/**
 * The event that carries `json`, which must be JSON text on one line. Characters beyond ASCII are escaped:
 * readers exist that drop a chunk whose end cuts a character.
 */
export function encodeEvent(json: string): string {
  return `data: ${escapeNonAscii(json)}\n\n`
}

function escapeNonAscii(json: string): string {
  // Counting bytes costs less than a search that finds nothing.
  if (Buffer.byteLength(json) === json.length) return json
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
