// A request's head, read strictly and fail-closed: bytes in; the parts we forward, or a refusal, out.

import { METHODS } from 'node:http'
import {
  CR,
  FieldLine,
  fieldBad,
  fieldFound,
  fieldIncomplete,
  isTarget,
  isToken,
  LF,
  nameIs,
  readField,
  readLength,
  readTokens,
  SP,
  withoutFields,
} from './bytes.ts'
import type { PackedHead } from './packed.ts'

export interface HeadLimits {
  /** Bytes of the whole head. */
  readonly headBytes: number
  readonly fields: number
  readonly targetBytes: number
}

export const requestLimits: HeadLimits = { headBytes: 16_384, fields: 100, targetBytes: 8_192 }

/** Body length of a chunked request. */
export const chunkedBody = -1

export interface RequestHead {
  readonly kind: 'head'
  /** Bytes of the head, with its empty line. */
  readonly length: number
  readonly method: string
  /** In origin form (or `*`): what we forward. */
  readonly target: string
  /** An HTTP/1.0 client: gets no chunks and no second request on its connection. */
  readonly old: boolean
  /** The client allows another request on this connection. */
  readonly keepAlive: boolean
  /** Content-Length; 0 without a body; `chunkedBody`. */
  readonly bodyBytes: number
  /** The field lines we forward, each ended by CRLF, without framing and hop-by-hop fields. */
  readonly fields: string
  readonly hasHost: boolean
  readonly instanceId: string | null
  readonly expectsContinue: boolean
  /** The client's traceparent, as it stood. */
  readonly traceparent: string | null
  /** How it is written to pods, once that was put together: the same for every request with this head. */
  written: string | null
  /** The same, once it came a second time. */
  packed: PackedHead | null
}

export interface Refusal {
  readonly kind: 'refusal'
  readonly status: number
  /** What is wrong, for the error's message. */
  readonly problem: string
}

export interface Incomplete {
  readonly kind: 'incomplete'
}

/** Those that Node's own parser knows, and with it many a pod. */
const methods = new Set(METHODS)

const incomplete: Incomplete = { kind: 'incomplete' }
const line = new FieldLine()
/** The head that is being read, decoded at once: a call for each part of it would cost more. It begins at `textAt`. */
let text = ''
let textAt = 0
/** The last Host that was found good: most requests have the same. */
let lastHost = ''

/** Field names that a Connection field must not remove: they route, frame or describe the message. */
const notHopByHop = ['stepflow-instance-id', 'content-length', 'host', 'content-type', 'transfer-encoding']

/**
 * Reads the request head at `start`. `bytes` from `start` to `end` are all that has arrived of it; with
 * `incomplete`, call again from the same start when a further LF has arrived.
 */
export function readRequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits = requestLimits,
): RequestHead | Refusal | Incomplete {
  let pos = start
  // RFC 9112 2.2: one empty line before the request line is tolerated.
  if (pos < end && bytes[pos] === CR) {
    if (pos + 1 === end) return incomplete
    if (bytes[pos + 1] !== LF) return refuse(400, 'a CR without LF before the request line')
    pos += 2
  }

  const methodStart = pos
  while (pos < end && isToken[bytes[pos]!] === 1) pos++
  if (pos - methodStart > 32) return refuse(400, 'the method is too long')
  if (pos === end) return incomplete
  if (pos === methodStart || bytes[pos] !== SP) return refuse(400, 'the request line has no method')
  text = bytes.toString('latin1', start, Math.min(end, start + limits.headBytes))
  textAt = start
  const method = cut(methodStart, pos)

  const targetStart = ++pos
  while (pos < end && isTarget[bytes[pos]!] === 1) pos++
  if (pos - targetStart > limits.targetBytes)
    return refuse(414, `the target is over ${limits.targetBytes} bytes`)
  if (pos === end) return incomplete
  if (pos === targetStart || bytes[pos] !== SP) return refuse(400, 'the request line has a bad target')
  const targetEnd = pos++

  const version = readVersion(bytes, pos, end)
  if (version === versionIncomplete) return incomplete
  if (version === versionBad) return refuse(400, 'the request line has a bad version or end')
  if (version === versionOther) return refuse(505, 'only HTTP/1.1 and HTTP/1.0 are spoken here')
  const old = version === version10
  if (method === 'CONNECT' || method === 'TRACE') return refuse(405, `${method} is not allowed`)
  if (!methods.has(method)) return refuse(501, 'an unknown method')
  pos += 10

  let kept = ''
  let runStart = pos
  let count = 0
  let host: string | null = null
  let contentLength = -1
  let transferEncoding: string | null = null
  let connection: string | null = null
  let instanceId: string | null = null
  let expect: string | null = null
  let traceparent: string | null = null
  for (;;) {
    const found = readField(bytes, pos, end, line)
    if (found === fieldIncomplete) {
      return end - start >= limits.headBytes
        ? refuse(431, `the head is over ${limits.headBytes} bytes`)
        : incomplete
    }
    if (found === fieldBad) return refuse(400, 'a malformed field line')
    if (found !== fieldFound) break
    if (++count > limits.fields) return refuse(431, `over ${limits.fields} fields`)
    if (line.next - start > limits.headBytes) return refuse(431, `the head is over ${limits.headBytes} bytes`)
    let keep = true
    const name = line.start
    switch (line.nameEnd - line.start) {
      case 2:
        keep = !nameIs(bytes, name, 'te')
        break
      case 4:
        if (nameIs(bytes, name, 'host')) {
          if (host !== null) return refuse(400, 'two Host fields')
          host = value()
        }
        break
      case 6:
        if (nameIs(bytes, name, 'expect')) {
          if (expect !== null) return refuse(400, 'two Expect fields')
          expect = value().toLowerCase()
          keep = false
        }
        break
      case 7:
        keep = !nameIs(bytes, name, 'upgrade') && !nameIs(bytes, name, 'trailer')
        break
      case 10:
        if (nameIs(bytes, name, 'connection')) {
          connection = connection === null ? value() : `${connection},${value()}`
          keep = false
        } else if (nameIs(bytes, name, 'keep-alive')) keep = false
        break
      case 11:
        if (nameIs(bytes, name, 'traceparent')) traceparent = value()
        break
      case 14:
        if (nameIs(bytes, name, 'content-length')) {
          if (contentLength !== -1) return refuse(400, 'two Content-Length fields')
          contentLength = readLength(bytes, line.valueStart, line.valueEnd)
          if (contentLength === -1) return refuse(400, 'a bad Content-Length')
          if (line.tabbed) return refuse(400, 'a tab behind Content-Length')
          keep = false
        } else if (nameIs(bytes, name, 'x-forwarded-by') || isHttp2Settings(name)) keep = false
        else keep = !isDisguised('content-length')
        break
      case 16:
        keep = !nameIs(bytes, name, 'proxy-connection')
        break
      case 17:
        if (nameIs(bytes, name, 'transfer-encoding')) {
          if (transferEncoding !== null) return refuse(400, 'two Transfer-Encoding fields')
          if (line.tabbed) return refuse(400, 'a tab behind Transfer-Encoding')
          transferEncoding = value()
          keep = false
        } else keep = !isDisguised('transfer-encoding')
        break
      case 20:
        if (nameIs(bytes, name, 'stepflow-instance-id')) {
          if (instanceId !== null) return refuse(400, 'two Stepflow-Instance-Id fields')
          instanceId = value()
          if (!isInstanceId(instanceId)) return refuse(400, 'a bad Stepflow-Instance-Id')
        } else keep = !isDisguised('stepflow-instance-id')
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
  if (headEnd - start > limits.headBytes) return refuse(431, `the head is over ${limits.headBytes} bytes`)

  // Framing: exactly one way to read it, or none at all (RFC 9112 6.1, 6.3).
  let bodyBytes = contentLength === -1 ? 0 : contentLength
  if (transferEncoding !== null) {
    if (contentLength !== -1) return refuse(400, 'Content-Length beside Transfer-Encoding')
    if (old) return refuse(400, 'Transfer-Encoding in HTTP/1.0')
    const status = transferStatus(transferEncoding)
    if (status !== 200)
      return refuse(status, `Transfer-Encoding ${status === 501 ? 'not supported' : 'malformed'}`)
    bodyBytes = chunkedBody
  }
  if (expect !== null && expect !== '100-continue') return refuse(417, 'an Expect other than 100-continue')

  let keepAlive = !old
  if (connection !== null) {
    const lower = connection.toLowerCase()
    if (lower === 'close') keepAlive = false
    else if (lower !== 'keep-alive') {
      const named = readTokens(connection)
      if (named === null) return refuse(400, 'a malformed Connection field')
      if (named.some((name) => notHopByHop.includes(name)))
        return refuse(400, 'Connection names an end-to-end field')
      if (named.includes('close')) keepAlive = false
      kept = withoutFields(kept, named)
    }
  }

  if (host === null) {
    if (!old) return refuse(400, 'no Host field')
  } else if (host !== lastHost) {
    if (!isHost(host)) return refuse(400, 'a bad Host field')
    lastHost = host
  }
  const target = originForm(cut(targetStart, targetEnd), method, host)
  if (target === null)
    return refuse(400, 'a target that is no path, or names another host than the Host field')

  return {
    kind: 'head',
    length: headEnd - start,
    method,
    target,
    old,
    keepAlive,
    bodyBytes,
    fields: kept,
    hasHost: host !== null,
    instanceId,
    expectsContinue: expect !== null && !old && bodyBytes !== 0,
    traceparent,
    written: null,
    packed: null,
  }
}

/** Whether a text can be an instance id: 1 to 256 visible ASCII characters. */
export function isInstanceId(text: string): boolean {
  return /^[!-~]{1,256}$/.test(text)
}

const versionIncomplete = 0
const versionBad = 1
const versionOther = 2
const version10 = 3
const version11 = 4
const versionText = 'HTTP/1.'

/** Reads `HTTP/1.x CRLF` at `pos`. */
function readVersion(bytes: Buffer, pos: number, end: number): number {
  if (end - pos >= 10) {
    const minor = bytes[pos + 7]!
    if (bytes[pos + 8] === CR && bytes[pos + 9] === LF && (minor === 0x31 || minor === 0x30)) {
      let index = 0
      while (index < 7 && bytes[pos + index] === versionText.charCodeAt(index)) index++
      if (index === 7) return minor === 0x31 ? version11 : version10
    }
  }
  const found = bytes.toString('latin1', pos, Math.min(end, pos + 10))
  if (/^HTTP\/\d\.\d\r\n$/.test(found)) return versionOther
  const pattern = 'HTTP/d.d\r\n'
  const prefix = [...found].every((c, index) =>
    pattern[index] === 'd' ? /\d/.test(c) : c === pattern[index],
  )
  return prefix && found.length < 10 ? versionIncomplete : versionBad
}

function value(): string {
  return cut(line.valueStart, line.valueEnd)
}

/** The bytes from `from` to `to` of the head that is being read, as text. */
function cut(from: number, to: number): string {
  return text.slice(from - textAt, to - textAt)
}

/**
 * Whether the name reads as `name` with underscores for hyphens. Behind CGI and WSGI (RFC 3875 4.1.18) the two are
 * one, so a pod could be told of a framing or a route that we never saw: such fields are dropped, as nginx does.
 */
function isDisguised(name: string): boolean {
  const found = cut(line.start, line.nameEnd)
  return found.includes('_') && found.toLowerCase().replaceAll('_', '-') === name
}

function isHttp2Settings(start: number): boolean {
  return cut(start, start + 14).toLowerCase() === 'http2-settings'
}

/** 200: chunked; 501: codings before it that we do not speak; 400: anything else. */
function transferStatus(text: string): 200 | 400 | 501 {
  if (text.length === 7 && text.toLowerCase() === 'chunked') return 200
  const codings = readTokens(text)
  return codings !== null && codings.indexOf('chunked') === codings.length - 1 && codings.length > 1
    ? 501
    : 400
}

function isHost(host: string): boolean {
  return /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(?::\d{0,5})?$/.test(host)
}

/** The path to forward; null where the target has another form or names another host. */
function originForm(target: string, method: string, host: string | null): string | null {
  if (target.charCodeAt(0) === 0x2f) return target
  if (target === '*') return method === 'OPTIONS' ? target : null
  const absolute = /^http:\/\/([^/?]*)(.*)$/i.exec(target)
  if (absolute === null || host === null) return null
  const [, authority = '', rest = ''] = absolute
  if (authority.toLowerCase() !== host.toLowerCase() || authority === '') return null
  return rest.startsWith('/') ? rest : `/${rest}`
}

function refuse(status: number, problem: string): Refusal {
  return { kind: 'refusal', status, problem }
}
