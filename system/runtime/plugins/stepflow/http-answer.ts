// Reads HTTP/1.1 answers from bytes as they come: head, body in its framing, end. Strict: what two readers
// could frame differently is refused.

/** What the client needs of an answer's head. */
export interface AnswerHead {
  readonly status: number
  readonly contentType: string
  readonly instanceId: string | undefined
  /** Whether the connection may serve another request afterwards. */
  readonly keepAlive: boolean
  readonly framing: Framing
}

type Framing =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }

export interface AnswerSink {
  onHead(head: AnswerHead): void
  onData(bytes: Buffer): void
  onEnd(head: AnswerHead): void
}

/** Bytes that are no answer; `message` says why. */
export class BadAnswer extends Error {}

export interface AnswerParser {
  /**
   * Takes the next bytes of the connection. Bytes after the end of the answer are refused: nobody asked.
   * @throws BadAnswer
   */
  push(bytes: Buffer): void
  /**
   * The peer has sent its last byte. True: that ended the answer as it should.
   * @throws BadAnswer where it ended in the middle
   */
  end(): boolean
}

/** Bytes of a head, and of a line between chunks. */
const maxHeadBytes = 16 * 1024
const maxLineBytes = 256

const headEnd = Buffer.from('\r\n\r\n')

type Phase = 'head' | 'length' | 'until-close' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailer' | 'over'

export function createAnswerParser(sink: AnswerSink): AnswerParser {
  let phase: Phase = 'head'
  let head: AnswerHead | null = null
  let held: Buffer | null = null
  let left = 0
  let trailerBytes = 0

  const finish = (): void => {
    phase = 'over'
    sink.onEnd(head as AnswerHead)
  }

  const begin = (parsed: AnswerHead): void => {
    head = parsed
    sink.onHead(parsed)
    const { framing } = parsed
    if (framing.kind === 'chunked') phase = 'chunk-line'
    else if (framing.kind === 'until-close') phase = 'until-close'
    else {
      phase = 'length'
      left = framing.bytes
      if (left === 0) finish()
    }
  }

  /** A line without its CRLF, and the index after it; null until it is whole. */
  const line = (bytes: Buffer, at: number): { text: string; next: number } | null => {
    const end = bytes.indexOf(0x0a, at)
    if (end === -1) {
      if (bytes.length - at > maxLineBytes) throw new BadAnswer('line between chunks is too long')
      held = bytes.subarray(at)
      return null
    }
    if (end - at > maxLineBytes || bytes[end - 1] !== 0x0d || end === at) {
      throw new BadAnswer('line between chunks is malformed')
    }
    return { text: bytes.toString('latin1', at, end - 1), next: end + 1 }
  }

  /** Index up to which `bytes` are used up. */
  const step = (bytes: Buffer, at: number): number => {
    switch (phase) {
      case 'head': {
        const end = bytes.indexOf(headEnd, at)
        if (end === -1 || end - at > maxHeadBytes) {
          if (end !== -1 || bytes.length - at > maxHeadBytes) throw new BadAnswer('head is too large')
          held = bytes.subarray(at)
          return bytes.length
        }
        const parsed = parseHead(bytes.toString('latin1', at, end))
        // 1xx: the answer proper is still to come (RFC 9110 15.2).
        if (parsed.status >= 200) begin(parsed)
        return end + headEnd.length
      }
      case 'length':
      case 'chunk': {
        const end = Math.min(bytes.length, at + left)
        left -= end - at
        sink.onData(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
        if (left === 0) {
          if (phase === 'chunk') phase = 'chunk-end'
          else finish()
        }
        return end
      }
      case 'until-close':
        sink.onData(bytes.subarray(at))
        return bytes.length
      case 'chunk-line': {
        const read = line(bytes, at)
        if (read === null) return bytes.length
        const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(read.text)
        if (size === null) throw new BadAnswer('chunk size is malformed')
        left = Number.parseInt(size[1] as string, 16)
        phase = left === 0 ? 'trailer' : 'chunk'
        return read.next
      }
      case 'chunk-end': {
        const read = line(bytes, at)
        if (read === null) return bytes.length
        if (read.text !== '') throw new BadAnswer('chunk is longer than its size')
        phase = 'chunk-line'
        return read.next
      }
      case 'trailer': {
        const read = line(bytes, at)
        if (read === null) return bytes.length
        trailerBytes += read.next - at
        if (trailerBytes > maxHeadBytes) throw new BadAnswer('trailer is too large')
        if (read.text === '') finish()
        return read.next
      }
      case 'over':
        throw new BadAnswer('bytes after the answer')
    }
  }

  return {
    push(bytes) {
      if (held !== null) {
        bytes = Buffer.concat([held, bytes])
        held = null
      }
      let at = 0
      while (at < bytes.length) at = step(bytes, at)
    },
    end() {
      if (phase === 'until-close') {
        finish()
        return true
      }
      if (phase === 'over') return true
      throw new BadAnswer('connection closed before message completed')
    },
  }
}

const noBody: Framing = { kind: 'length', bytes: 0 }

function parseHead(text: string): AnswerHead {
  const lines = text.split('\r\n')
  const status = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(lines[0] ?? '')
  if (status === null) throw new BadAnswer('status line is malformed')
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  let contentType = ''
  let instanceId: string | undefined
  for (let index = 1; index < lines.length; index++) {
    const field = lines[index] as string
    const colon = field.indexOf(':')
    if (colon < 1 || field.includes('\n') || field.includes('\r'))
      throw new BadAnswer('header field is malformed')
    switch (field.slice(0, colon).toLowerCase()) {
      case 'content-length': {
        const value = field.slice(colon + 1).trim()
        if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== value)) {
          throw new BadAnswer('Content-Length is malformed')
        }
        length = value
        break
      }
      case 'transfer-encoding':
        coding =
          coding === undefined
            ? field
                .slice(colon + 1)
                .trim()
                .toLowerCase()
            : 'several'
        break
      case 'connection':
        connection += `,${field.slice(colon + 1).toLowerCase()}`
        break
      case 'content-type':
        contentType = field.slice(colon + 1).trim()
        break
      case 'stepflow-instance-id':
        instanceId = field.slice(colon + 1).trim()
        break
      default:
        break
    }
  }
  if (coding !== undefined && (coding !== 'chunked' || length !== undefined)) {
    throw new BadAnswer('framing is ambiguous or unknown')
  }
  const code = Number(status[2])
  const framing: Framing =
    code < 200 || code === 204 || code === 304
      ? noBody
      : coding !== undefined
        ? { kind: 'chunked' }
        : length !== undefined
          ? { kind: 'length', bytes: Number(length) }
          : { kind: 'until-close' }
  return {
    status: code,
    contentType,
    instanceId,
    keepAlive:
      status[1] === '1' && framing.kind !== 'until-close' && !/[,\s]close(?:$|[,\s])/.test(connection),
    framing,
  }
}
