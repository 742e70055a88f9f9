// A pod's response head, read as strictly as a request's: what we cannot frame for sure is not forwarded.

import {
  CR,
  FieldLine,
  fieldBad,
  fieldFound,
  fieldIncomplete,
  isValue,
  LF,
  nameIs,
  readField,
  readLength,
  readTokens,
  SP,
  withoutFields,
} from './bytes.ts'
import type { PackedHead } from './packed.ts'
import { type Incomplete, isInstanceId } from './request.ts'

/** How the body of an answer ends. */
export type AnswerBody = 'none' | 'length' | 'chunked' | 'close'

export interface AnswerHead {
  readonly kind: 'head'
  /** Bytes of the head, with its empty line. */
  readonly length: number
  readonly status: number
  readonly reason: string
  readonly body: AnswerBody
  /** Content-Length where the pod sent one (also to HEAD and with 304), else -1. */
  readonly contentLength: number
  /** The pod allows another request on this connection. */
  readonly keepAlive: boolean
  /** The field lines we forward, each ended by CRLF, without framing and hop-by-hop fields. */
  readonly fields: string
  readonly instanceId: string | null
  /** A text/event-stream. */
  readonly stream: boolean
  /** How it is written to clients of the usual kind (see write.ts), once that was put together. */
  written: string | null
  /** The same, once it came a second time. */
  packed: PackedHead | null
}

export interface BadAnswer {
  readonly kind: 'bad'
  readonly problem: string
}

const incomplete: Incomplete = { kind: 'incomplete' }
const line = new FieldLine()
/** The head that is being read, decoded at once: a call for each part of it would cost more. It begins at `textAt`. */
let text = ''
let textAt = 0
const maxHeadBytes = 32_768
const maxFields = 200
const versionText = 'HTTP/1.'

/** Reads the response head at `start`; `method` is the request's. Interim (1xx) heads are returned as they are. */
export function readAnswerHead(
  bytes: Buffer,
  start: number,
  end: number,
  method: string,
): AnswerHead | BadAnswer | Incomplete {
  // `HTTP/1.1 200 ` is 13 bytes.
  if (end - start < 13) {
    const soFar = bytes.toString('latin1', start, end)
    return versionText.startsWith(soFar.slice(0, 7)) ? incomplete : bad('no HTTP/1.1 status line')
  }
  const old = bytes[start + 7] === 0x30
  if (!isHttp1(bytes, start) || (!old && bytes[start + 7] !== 0x31) || bytes[start + 8] !== SP) {
    return bad('no HTTP/1.1 status line')
  }
  const status = readLength(bytes, start + 9, start + 12)
  if (status < 100 || status > 599) return bad('a bad status code')
  text = bytes.toString('latin1', start, Math.min(end, start + maxHeadBytes))
  textAt = start
  let pos = start + 12
  let reason = ''
  if (bytes[pos] === SP) {
    const reasonStart = ++pos
    while (pos < end && isValue[bytes[pos]!] === 1) pos++
    reason = cut(reasonStart, pos)
    if (pos < end && bytes[pos] !== CR) return bad('a control byte in the reason')
  }
  if (pos + 1 >= end) return end - start > maxHeadBytes ? bad('an endless status line') : incomplete
  if (bytes[pos] !== CR || bytes[pos + 1] !== LF) return bad('a status line without CRLF')
  pos += 2

  let kept = ''
  let runStart = pos
  let count = 0
  let contentLength = -1
  let transferEncoding: string | null = null
  let connection: string | null = null
  let instanceId: string | null = null
  let stream = false
  let typed = false
  for (;;) {
    const found = readField(bytes, pos, end, line)
    if (found === fieldIncomplete) {
      return end - start > maxHeadBytes ? bad(`a head over ${maxHeadBytes} bytes`) : incomplete
    }
    if (found === fieldBad) return bad('a malformed field line')
    if (found !== fieldFound) break
    if (++count > maxFields) return bad(`over ${maxFields} fields`)
    if (line.next - start > maxHeadBytes) return bad(`a head over ${maxHeadBytes} bytes`)
    let keep = true
    const name = line.start
    switch (line.nameEnd - line.start) {
      case 7:
        keep = !nameIs(bytes, name, 'upgrade') && !nameIs(bytes, name, 'trailer')
        break
      case 10:
        if (nameIs(bytes, name, 'connection')) {
          connection = connection === null ? value() : `${connection},${value()}`
          keep = false
        } else if (nameIs(bytes, name, 'keep-alive')) keep = false
        break
      case 12:
        if (nameIs(bytes, name, 'content-type')) {
          if (typed) return bad('two Content-Type fields')
          typed = true
          stream = isStreamType()
        }
        break
      case 14:
        if (nameIs(bytes, name, 'content-length')) {
          if (contentLength !== -1) return bad('two Content-Length fields')
          contentLength = readLength(bytes, line.valueStart, line.valueEnd)
          if (contentLength === -1) return bad('a bad Content-Length')
          if (line.tabbed) return bad('a tab behind Content-Length')
          keep = false
        }
        break
      case 16:
        keep = !nameIs(bytes, name, 'proxy-connection')
        break
      case 17:
        if (nameIs(bytes, name, 'transfer-encoding')) {
          if (transferEncoding !== null) return bad('two Transfer-Encoding fields')
          if (line.tabbed) return bad('a tab behind Transfer-Encoding')
          transferEncoding = value().toLowerCase()
          keep = false
        }
        break
      case 20:
        if (nameIs(bytes, name, 'stepflow-instance-id')) {
          if (instanceId !== null) return bad('two Stepflow-Instance-Id fields')
          instanceId = value()
          if (!isInstanceId(instanceId)) return bad('a bad Stepflow-Instance-Id')
        }
        break
    }
    if (!keep || !line.canonical) {
      if (runStart < line.start) kept += cut(runStart, line.start)
      if (keep) kept += `${cut(line.start, line.nameEnd)}: ${value()}\r\n`
      runStart = line.next
    }
    pos = line.next
  }
  if (runStart < pos) kept += cut(runStart, pos)
  const headEnd = line.next

  let keepAlive = !old
  if (connection !== null) {
    const lower = connection.toLowerCase()
    if (lower === 'close') keepAlive = false
    else if (lower === 'keep-alive') keepAlive = true
    else {
      const named = readTokens(connection)
      if (named === null) return bad('a malformed Connection field')
      if (named.includes('stepflow-instance-id') || named.includes('content-type')) {
        return bad('Connection names an end-to-end field')
      }
      if (named.includes('close')) keepAlive = false
      kept = withoutFields(kept, named)
    }
  }

  // RFC 9112 6.3, in its order; what it lets a client guess is refused here.
  if (transferEncoding !== null) {
    if (contentLength !== -1) return bad('Content-Length beside Transfer-Encoding')
    if (transferEncoding !== 'chunked') return bad('a Transfer-Encoding other than chunked')
    if (old) return bad('Transfer-Encoding in HTTP/1.0')
  }
  let body: AnswerBody
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) body = 'none'
  else if (transferEncoding !== null) body = 'chunked'
  else if (contentLength !== -1) body = contentLength === 0 ? 'none' : 'length'
  else {
    body = 'close'
    keepAlive = false
  }
  return {
    kind: 'head',
    length: headEnd - start,
    status,
    reason,
    body,
    contentLength,
    keepAlive,
    fields: kept,
    instanceId,
    stream,
    written: null,
    packed: null,
  }
}

/** What is wrong with an interim (1xx) answer; null: drop it and read on. */
export function interimProblem(head: AnswerHead): string | null {
  if (head.status === 101) return 'an upgrade nobody asked for'
  return head.keepAlive ? null : 'an interim answer that closes'
}

/** Whether `HTTP/1.` stands at `start`. */
function isHttp1(bytes: Buffer, start: number): boolean {
  let index = 0
  while (index < 7 && bytes[start + index] === versionText.charCodeAt(index)) index++
  return index === 7
}

function isStreamType(): boolean {
  const type = 'text/event-stream'
  return line.valueEnd - line.valueStart >= type.length && value().toLowerCase().startsWith(type)
}

function value(): string {
  return cut(line.valueStart, line.valueEnd)
}

/** The bytes from `from` to `to` of the head that is being read, as text. */
function cut(from: number, to: number): string {
  return text.slice(from - textAt, to - textAt)
}

function bad(problem: string): BadAnswer {
  return { kind: 'bad', problem }
}
