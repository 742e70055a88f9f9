// The head of an HTTP/1.1 request: text in, fields out, or the status that refuses it. Pure and strict.

/** What the server needs to know of a request's head. */
export interface RequestHead {
  readonly kind: 'head'
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Minor version: 0 or 1. */
  readonly minor: number
  /** Whether the connection may serve another request after this one. */
  readonly keepAlive: boolean
  /** Bytes of the body, or -1 where it comes in chunks. */
  readonly bodyBytes: number
  readonly expectContinue: boolean
  readonly contentType: string
  readonly accept: string
  readonly pinned: string | undefined
  readonly via: string | undefined
  readonly traceparent: string | undefined
}

/** A head that no request can be read from: the answer's status and why. */
export interface BadHead {
  readonly kind: 'bad'
  readonly status: 400 | 405 | 414 | 417 | 431 | 501 | 505
  readonly reason: string
}

/** Bytes a head may have: that of common servers. */
export const maxHeadBytes = 16 * 1024
const maxTargetChars = 8 * 1024
const maxFields = 100

/** Fields whose values are lists that may come in several lines (RFC 9110 5.3). */
const lists = ['accept', 'via', 'connection']
const framing = ['content-length', 'transfer-encoding']
/** Fields that say how the message is framed, or whose it is: twice is an attack or a defect. */
const singles = [
  ...['host', 'content-length', 'transfer-encoding', 'content-type', 'expect'],
  'stepflow-instance-id',
]

/** Methods whose messages are framed like any other's; paths say which of them they have. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Reads a head.
 * @param text its bytes as latin1, without the empty line that ends it
 */
export function parseHead(text: string): RequestHead | BadHead {
  const lines = text.split('\r\n')
  const line = /^([A-Z]{1,20}) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/.exec(lines[0] ?? '')
  if (line === null) return bad(400, 'request line is malformed')
  const [, method = '', target = '', major, minorDigit] = line
  if (major !== '1' || (minorDigit !== '0' && minorDigit !== '1')) {
    return bad(505, 'version is not HTTP/1.0 or 1.1')
  }
  if (!methods.includes(method))
    return bad(/^(CONNECT|TRACE)$/.test(method) ? 405 : 501, 'no such method here')
  if (target.length > maxTargetChars) return bad(414, 'target is too long')
  if (!target.startsWith('/')) return bad(400, 'target does not start with a slash')
  if (lines.length - 1 > maxFields) return bad(431, `head has more than ${maxFields} fields`)

  const fields = new Map<string, string>()
  for (let index = 1; index < lines.length; index++) {
    const problem = readField(lines[index] ?? '', fields)
    if (problem !== null) return bad(400, problem)
  }
  const minor = Number(minorDigit)
  if (minor === 1 && !fields.has('host')) return bad(400, 'Host is missing')
  const length = fields.get('content-length')
  const coding = fields.get('transfer-encoding')
  if (coding !== undefined) {
    if (length !== undefined) return bad(400, 'Content-Length and Transfer-Encoding together')
    if (minor === 0) return bad(400, 'Transfer-Encoding in HTTP/1.0')
    if (coding.toLowerCase() !== 'chunked') return bad(501, 'transfer coding is not chunked')
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return bad(400, 'Content-Length is no number')
  const expect = fields.get('expect')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return bad(417, 'unknown expectation')
  const query = target.indexOf('?')
  return {
    kind: 'head',
    method,
    path: query === -1 ? target : target.slice(0, query),
    minor,
    keepAlive: minor === 1 && !hasToken(fields.get('connection'), 'close'),
    bodyBytes: coding !== undefined ? -1 : Number(length ?? 0),
    expectContinue: expect !== undefined && minor === 1,
    contentType: fields.get('content-type') ?? '',
    accept: fields.get('accept') ?? '',
    pinned: fields.get('stepflow-instance-id'),
    via: fields.get('via'),
    traceparent: fields.get('traceparent'),
  }
}

/** Heads that are remembered: the few forms in which a balancer's connections send calls and replies. */
const maxRemembered = 32

/** Reads heads, and those that come again byte for byte only once. */
export function createHeadReader(): (text: string) => RequestHead | BadHead {
  const known = new Map<string, RequestHead>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const head = parseHead(text)
    if (head.kind === 'bad') return head
    if (known.size === maxRemembered) known.clear()
    known.set(text, head)
    return head
  }
}

/** Adds a field's line to `fields`, or says what is wrong with it. */
export function readField(line: string, fields: Map<string, string>): string | null {
  const colon = line.indexOf(':')
  if (colon === -1 || !/^[\w!#$%&'*+.^`|~-]+$/.test(line.slice(0, colon))) return 'field name is malformed'
  const name = line.slice(0, colon).toLowerCase()
  const value = trimBlanks(line.slice(colon + 1))
  // A tab behind them is allowed, but parsers that carry others' traffic disagree on it.
  if (framing.includes(name) && line.slice(line.trimEnd().length).includes('\t')) {
    return `a tab stands behind ${name}`
  }
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) return `value of ${name} has a control character`
  const earlier = fields.get(name)
  if (earlier !== undefined && singles.includes(name)) return `${name} comes twice`
  fields.set(name, earlier !== undefined && lists.includes(name) ? `${earlier}, ${value}` : value)
  return null
}

/** Without blanks at both ends; String.trim would take latin1's no-break space, too. */
function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09
}

function hasToken(list: string | undefined, token: string): boolean {
  return list?.split(',').some((item) => item.trim().toLowerCase() === token) ?? false
}

function bad(status: BadHead['status'], reason: string): BadHead {
  return { kind: 'bad', status, reason }
}
