// The head of a request: text to fields, or the status that refuses it. Pure and strict.

import { BadMessage, type Framing, type Head } from './parser.ts'

export interface RequestHead extends Head {
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  /** By lower-case name; values of fields that come several times are joined. */
  readonly fields: ReadonlyMap<string, string>
  readonly keepAlive: boolean
  readonly expectContinue: boolean
}

const maxTargetChars = 8 * 1024
const maxFields = 100

/** Fields that say how the message is framed, or whose it is: twice is an attack or a defect. */
const singles: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'expect',
])

/**
 * @param text the head without its last empty line, as latin1
 * @throws BadMessage
 */
export function parseRequestHead(text: string): RequestHead {
  const lines = text.split('\r\n')
  const line = /^([A-Z]{1,20}) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/.exec(lines[0] ?? '')
  if (line === null) throw new BadMessage('request line is malformed')
  const [, method = '', target = '', major, minor] = line
  if (major !== '1' || (minor !== '0' && minor !== '1'))
    throw new BadMessage('version is not HTTP/1.0 or 1.1', 505)
  if (target.length > maxTargetChars) throw new BadMessage('target is too long', 414)
  if (lines.length - 1 > maxFields) throw new BadMessage(`head has more than ${maxFields} fields`, 431)
  const fields = new Map<string, string>()
  for (let index = 1; index < lines.length; index++) addField(lines[index] as string, fields)
  if (minor === '1' && !fields.has('host')) throw new BadMessage('Host is missing')
  const expect = fields.get('expect')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    throw new BadMessage('unknown expectation', 417)
  const closes = /(?:^|[,\s])close(?:$|[,\s])/i.test(fields.get('connection') ?? '')
  return {
    method,
    target: originForm(target),
    fields,
    keepAlive: minor === '1' && !closes,
    expectContinue: expect !== undefined && minor === '1',
    framing: framingOf(fields, minor),
  }
}

/** Clients may send the whole URL (RFC 9112 3.2.2). */
function originForm(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '')
  return path.startsWith('/') || target === '*' ? path : `/${path}`
}

function addField(line: string, fields: Map<string, string>): void {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(0, colon)).toLowerCase()
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new BadMessage('field name is malformed')
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new BadMessage(`value of ${name} has a control character`)
  const earlier = fields.get(name)
  if (earlier !== undefined && singles.has(name)) throw new BadMessage(`${name} comes twice`)
  fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
}

function framingOf(fields: ReadonlyMap<string, string>, minor: string): Framing {
  const length = fields.get('content-length')
  const coding = fields.get('transfer-encoding')
  if (coding !== undefined) {
    if (length !== undefined) throw new BadMessage('Content-Length and Transfer-Encoding together')
    if (minor === '0') throw new BadMessage('Transfer-Encoding in HTTP/1.0')
    if (coding.toLowerCase() !== 'chunked') throw new BadMessage('transfer coding is not chunked', 501)
    return { kind: 'chunked' }
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new BadMessage('Content-Length is no number')
  return { kind: 'length', bytes: Number(length ?? 0) }
}
