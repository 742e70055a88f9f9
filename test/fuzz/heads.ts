// Differential fuzzing of the balancer's parsers against llhttp: the inputs, and what must hold for each.

import { BodyReader, bodyBad, bodyDone, bodyPiece } from '../../system/balancer/body.ts'
import { interimProblem, readAnswerHead } from '../../system/balancer/head/answer.ts'
import { chunkedBody, type RequestHead, readRequestHead } from '../../system/balancer/head/request.ts'
import { writeAnswerHead, writeRequestHead } from '../../system/balancer/head/write.ts'
import { type OracleMessage, parseByLlhttp } from './llhttp.ts'
import type { Random } from './random.ts'

// ---- inputs -----------------------------------------------------------------------------------------------

const spaces = ['', ' ', ' ', ' ', ' ', '  ', '\t', ' \t ']
const ends = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n ', '\r\r\n', '\n\r\n']
const nasties = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\x0b',
  '\x0c',
  '\x7f',
  '\x80',
  '\xff',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '=',
  '"',
  '-',
  '+',
  '0',
  '1',
  '0x',
  '_',
  'a',
  '/',
  '#',
  '?',
  'http://',
  'chunked',
  '\r\n\r\n',
  ': ',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: x\r\n',
  'Connection: close\r\n',
]
const targets = [
  '/',
  '/a',
  '/a?b=c',
  '/%20',
  '*',
  'http://x/',
  'http://x',
  'http://y/',
  'x',
  '/a#b',
  "/!$&'()*+,;=:@",
  '/"<>^`{|}\\',
  '',
]
const versions = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/1.10',
  'http/1.1',
  'HTTP/11',
  '',
]
const methods = [
  'GET',
  'POST',
  'POST',
  'POST',
  'PUT',
  'HEAD',
  'OPTIONS',
  'DELETE',
  'PATCH',
  'PROPFIND',
  'CONNECT',
  'TRACE',
  'get',
  'FROB',
  'M-SEARCH',
  '',
]
const lengths = [
  '0',
  '1',
  '3',
  '5',
  '5',
  '10',
  '007',
  '+5',
  '-1',
  '0x5',
  '5, 5',
  '5 5',
  '',
  '99999999999999999999',
  '5;',
  '1_0',
  '9007199254740993',
]
const codings = [
  'chunked',
  'chunked',
  'chunked',
  'Chunked',
  'CHUNKED',
  'xchunked',
  'gzip, chunked',
  'chunked, gzip',
  ',chunked',
  'chunked,',
  'identity',
  '',
  'chunked;a=b',
  '"chunked"',
  'chunked\x0b',
  'chunked chunked',
]
const connections = [
  'keep-alive',
  'close',
  'Close',
  'upgrade',
  'keep-alive, close',
  'x-hop',
  'X-Hop, upgrade',
  ', close',
  'close;',
  '"close"',
  '',
  'host',
  'content-length',
  'Stepflow-Instance-Id',
  'content-type',
]
const names = [
  'Accept',
  'X-Custom',
  'x-hop',
  'Stepflow-Instance-Id',
  'Expect',
  'Upgrade',
  'TE',
  'Trailer',
  'Keep-Alive',
  'Content-Type',
  'traceparent',
  'X_Y',
  'Content_Length',
  'Transfer_Encoding',
  'Stepflow_Instance_Id',
  'Content-Length2',
  'A',
  'X-Forwarded-By',
  'Proxy-Connection',
  '!#$%',
  'b d',
  'e:',
  '',
]
const goodNames = [
  'Accept',
  'X-Custom',
  'x-hop',
  'Content-Type',
  'traceparent',
  'X_Y',
  'A',
  'TE',
  'Keep-Alive',
  'Upgrade',
]
const values = [
  'x',
  'a b',
  'text/event-stream',
  '"q"',
  'ä',
  'a\tb',
  '',
  '100-continue',
  'websocket',
  'trailers',
  'x,y',
  'id-1',
  ':',
  'a: b',
  '\x80\xff',
]
const sizes = [
  '0',
  '1',
  '3',
  '5',
  'a',
  'A',
  '5;x',
  '5;x=y',
  '5;x="y z"',
  '5 ',
  ' 5',
  '0x5',
  '+5',
  '-1',
  '',
  'ffffffffffffffff',
  '00005',
  '5\t',
  '1g',
  '5;',
  '5;;',
  '5;\x80',
]

/** One connection's worth of request bytes: mostly one or two requests, mostly nearly right. */
export function makeRequests(random: Random): Buffer {
  let text = ''
  const count = 1 + random.below(3)
  for (let index = 0; index < count; index++) text += makeRequest(random)
  return Buffer.from(mutate(text, random), 'latin1')
}

function makeRequest(random: Random): string {
  const line = end(random)
  let text = random.chance(0.05) ? '\r\n' : ''
  text += `${random.chance(0.8) ? random.of(['GET', 'POST']) : random.of(methods)} ${random.chance(0.8) ? '/a?b' : random.of(targets)} `
  text += (random.chance(0.9) ? 'HTTP/1.1' : random.of(versions)) + line
  text += makeFields(random, random.chance(0.95) ? ['Host: x\r\n'] : [])
  return text + makeBody(text, random)
}

/** A pod's answer, with what may stand behind it. */
export function makeAnswer(random: Random): Buffer {
  let text = random.chance(0.1) ? 'HTTP/1.1 100 Continue\r\n\r\n' : ''
  const status = random.chance(0.7)
    ? '200'
    : random.of(['201', '204', '304', '404', '500', '101', '99', '600', '999', '2000', '0200', '2 0', ''])
  const reason = random.of([' OK', ' OK', ' OK', '', ' ', ' Ünd', ' a\x01'])
  text += `${random.chance(0.93) ? 'HTTP/1.1' : random.of(versions)} ${status}${reason}${end(random)}`
  const head = makeFields(random, [])
  text += head + makeBody(head, random)
  return Buffer.from(mutate(text, random), 'latin1')
}

function end(random: Random): string {
  return random.chance(0.996) ? '\r\n' : random.of(ends)
}

function makeFields(random: Random, fields: string[]): string {
  const field = (name: string, value: string) =>
    `${name}${random.chance(0.995) ? ':' : random.of([' :', '', '::', '\t:'])}${random.of(spaces)}${value}${random.chance(0.95) ? '' : random.of(spaces)}${end(random)}`
  const framing = random.next()
  if (framing < 0.4)
    fields.push(
      field(
        'Content-Length',
        random.chance(0.93) ? random.of(['0', '1', '3', '5', '10']) : random.of(lengths),
      ),
    )
  else if (framing < 0.75)
    fields.push(field('Transfer-Encoding', random.chance(0.93) ? 'chunked' : random.of(codings)))
  else if (framing < 0.8)
    fields.push(field('Content-Length', random.of(lengths)), field('Transfer-Encoding', random.of(codings)))
  else if (framing < 0.83)
    fields.push(field('Content-Length', '5'), field('Content-Length', random.of(lengths)))
  if (random.chance(0.2))
    fields.push(
      field(
        'Connection',
        random.chance(0.8) ? random.of(['keep-alive', 'close', 'x-hop']) : random.of(connections),
      ),
    )
  for (let extra = random.below(4); extra > 0; extra--)
    fields.push(field(random.of(random.chance(0.98) ? goodNames : names), random.of(values)))
  for (let swap = fields.length - 1; swap > 0; swap--) {
    const other = random.below(swap + 1)
    ;[fields[swap], fields[other]] = [fields[other]!, fields[swap]!]
  }
  return fields.join('') + end(random)
}

function makeBody(head: string, random: Random): string {
  if (/transfer-encoding/i.test(head)) {
    let text = ''
    for (let chunks = random.below(4); chunks > 0; chunks--) {
      const size = random.chance(0.9) ? random.of(['1', '3', '5', 'a', 'A', '03']) : random.of(sizes)
      const length = Number.parseInt(size, 16)
      text += `${size}${end(random)}${'x'.repeat(Number.isNaN(length) ? 3 : Math.max(0, Math.min(20, length)))}${end(random)}`
    }
    text += random.chance(0.95) ? `0${end(random)}` : ''
    if (random.chance(0.1)) text += `${random.of(names)}: ${random.of(values)}${end(random)}`
    return text + end(random)
  }
  const length = Number(/content-length:\s*(\d{1,3})\b/i.exec(head)?.[1] ?? 0)
  return 'y'.repeat(random.chance(0.95) ? Math.min(50, length) : random.below(12))
}

function mutate(text: string, random: Random): string {
  for (let times = random.chance(0.6) ? 0 : 1 + random.below(3); times > 0; times--) {
    const at = random.below(text.length + 1)
    const length = random.below(4)
    switch (random.below(4)) {
      case 0:
        text = text.slice(0, at) + random.of(nasties) + text.slice(at)
        break
      case 1:
        text = text.slice(0, at) + text.slice(at + 1 + length)
        break
      case 2:
        text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1)
        break
      case 3:
        text = text.slice(0, at) + text.slice(Math.max(0, at - length * 8))
        break
    }
  }
  return text
}

// ---- what must hold ---------------------------------------------------------------------------------------

/** What the balancer would do with one connection's bytes. */
interface Forwarded {
  readonly head: RequestHead
  readonly body: string
  readonly complete: boolean
}

interface Reading {
  readonly forwarded: readonly Forwarded[]
  /** Why the rest was refused; null where nothing was. */
  readonly refusal: { readonly status: number; readonly problem: string } | null
  /** Where the last head began. */
  readonly at: number
}

/** Reads requests as accept.ts and relay.ts do; `cut` says how many bytes arrive at a time. */
export function readRequests(bytes: Buffer, cut: number): Reading {
  const forwarded: Forwarded[] = []
  let pos = 0
  let at = 0
  let arrived = Math.min(cut, bytes.length)
  const more = (): boolean => {
    if (arrived === bytes.length) return false
    arrived = Math.min(bytes.length, arrived + cut)
    return true
  }
  while (pos < bytes.length) {
    at = pos
    let head = readRequestHead(bytes, pos, arrived)
    while (head.kind === 'incomplete' && more()) head = readRequestHead(bytes, pos, arrived)
    if (head.kind === 'incomplete') break
    if (head.kind === 'refusal') return { forwarded, refusal: head, at }
    pos += head.length
    let body = ''
    if (head.bodyBytes !== 0) {
      const reader = new BodyReader(head.bodyBytes === chunkedBody ? 'chunked' : 'length', head.bodyBytes)
      for (;;) {
        const found = reader.next(bytes, pos, arrived)
        if (found === bodyPiece) {
          body += bytes.toString('latin1', reader.from, reader.to)
          pos = reader.pos
        } else if (found === bodyDone) {
          pos = reader.pos
          break
        } else if (found === bodyBad) {
          return { forwarded, refusal: { status: 400, problem: reader.problem }, at }
        } else {
          pos = reader.pos
          if (!more())
            return { forwarded: [...forwarded, { head, body, complete: false }], refusal: null, at }
        }
      }
    }
    forwarded.push({ head, body, complete: true })
    if (!head.keepAlive) break
    if (pos === arrived) more()
  }
  return { forwarded, refusal: null, at }
}

/** Problems for which we refuse what llhttp lets pass: each is a rule of HTTP, or of ours, beyond its grammar. */
const stricter: readonly RegExp[] = [
  // Transfer-Encoding in a trailer: llhttp drops it, as we could, but nobody means well by it.
  /^framing in a trailer/,
  // llhttp takes it for another coding than chunked.
  /^a tab behind Transfer-Encoding/,
  /^(no|two|a bad) Host field/,
  /^a target that is no path/,
  /^two Expect fields/,
  /^(two Stepflow-Instance-Id fields|a bad Stepflow-Instance-Id)/,
  /^(Connection names an end-to-end field|a malformed Connection field)/,
  /^Transfer-Encoding (in HTTP\/1\.0|malformed)/,
  // llhttp overlooks an empty Transfer-Encoding beside another field of framing.
  /^(Content-Length beside Transfer-Encoding|two Transfer-Encoding fields)/,
  // Lengths beyond what a double counts exactly.
  /^(a bad Content-Length|a chunk size that is too long)/,
  // Two spaces before the version.
  /^the request line has a bad version or end/,
]

/** Null where all holds; else what does not, in words. A test hands in a broken `read`. */
export function checkRequests(
  bytes: Buffer,
  random: Random,
  read: typeof readRequests = readRequests,
): string | null {
  const reading = read(bytes, bytes.length)
  const cut = 1 + random.below(20)
  if (JSON.stringify(read(bytes, cut)) !== JSON.stringify(reading))
    return `read differently ${cut} bytes at a time`
  const oracle = parseByLlhttp('request', bytes)
  for (const [index, ours] of reading.forwarded.entries()) {
    const theirs = oracle.messages[index]
    if (theirs === undefined) return `request ${index} forwarded, llhttp: ${oracle.error ?? 'incomplete'}`
    const difference = compareRequest(ours, theirs)
    if (difference !== null) return `request ${index}: ${difference}`
    if (!ours.complete && oracle.error !== null) return `request ${index} goes on, llhttp: ${oracle.error}`
    const rewritten = checkRewritten(ours)
    if (rewritten !== null) return `request ${index} as we write it: ${rewritten}`
    // Behind an upgrade llhttp reads no HTTP; we strip the upgrade and read on.
    if (theirs.upgrade) return null
  }
  const { refusal } = reading
  const passed = oracle.messages[reading.forwarded.length]
  const later = oracle.messages.length > reading.forwarded.length + 1
  if (refusal === null || passed === undefined || refusal.status !== 400) return null
  // llhttp found fault with it later, as we did.
  if (!passed.complete && oracle.error !== null && !later) return null
  if (stricter.some((pattern) => pattern.test(refusal.problem))) return null
  // llhttp skips any number of CRs and LFs between requests, we one CRLF.
  if (isLineEnd(bytes[reading.at])) return null
  if (!/^1\.[01]$/.test(passed.version) || passed.method === 'CONNECT') return null
  // Bytes that llhttp lets stand in a target, and two spaces before it.
  const raw = bytes.toString('latin1')
  if (
    refusal.problem === 'the request line has a bad target' &&
    (/[^!-~]|#/.test(passed.target) || raw.includes('  '))
  )
    return null
  if (refusal.problem === 'a malformed chunk extension' && hasBadExtension(raw)) return null
  return passed.complete || oracle.error === null ? `refused (${refusal.problem}), llhttp takes it` : null
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 0x0d || byte === 0x0a
}

/** Whether a chunk extension stands in `raw` that the grammar has not (RFC 9112 7.1.1); llhttp takes some of those. */
function hasBadExtension(raw: string): boolean {
  const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
  const good = new RegExp(`^(?:;${token}(?:=(?:${token}|"(?:[^"\\\\]|\\\\.)*"))?)+$`, 's')
  return [...raw.matchAll(/^[0-9a-fA-F]+(;.*?)\r?$/gms)].some(([, extension = '']) => !good.test(extension))
}

function isStricterBody(problem: string, bytes: Buffer): boolean {
  if (problem === 'a malformed chunk extension') return hasBadExtension(bytes.toString('latin1'))
  return problem === 'framing in a trailer'
}

function compareRequest(ours: Forwarded, theirs: OracleMessage): string | null {
  const { head } = ours
  if (head.method !== theirs.method) return `method ${head.method}, llhttp ${theirs.method}`
  const target = theirs.target.replace(/^http:\/\/[^/?]*/i, '').replace(/^(?=\?|$)/, '/')
  if (head.target !== target) return `target ${head.target}, llhttp ${theirs.target}`
  const expected = endToEnd(theirs.fields, requestHop)
  if (head.fields !== expected)
    return `fields ${JSON.stringify(head.fields)}, llhttp ${JSON.stringify(expected)}`
  if (ours.complete !== theirs.complete) return `complete ${ours.complete}, llhttp ${theirs.complete}`
  if (ours.body !== theirs.body)
    return `body ${JSON.stringify(ours.body)}, llhttp ${JSON.stringify(theirs.body)}`
  return null
}

const requestHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  'expect',
  'content-length',
  'transfer-encoding',
  'x-forwarded-by',
  // Read as the same names behind CGI.
  'content_length',
  'transfer_encoding',
  'stepflow_instance_id',
]
const answerHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'upgrade',
  'content-length',
  'transfer-encoding',
]

/** The field lines that are to be forwarded, by another way than the balancer's. */
function endToEnd(fields: OracleMessage['fields'], hop: readonly string[]): string {
  const named = fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((name) => name.trim())
  return fields
    .filter(([name]) => !hop.includes(name.toLowerCase()) && !named.includes(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}

/** What goes out must be one message that llhttp reads as we meant it. */
function checkRewritten(ours: Forwarded): string | null {
  if (!ours.complete) return null
  const { head, body } = ours
  const framed =
    head.bodyBytes !== chunkedBody
      ? body
      : `${body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`
  const { messages, error } = parseByLlhttp('request', Buffer.from(writeRequestHead(head) + framed, 'latin1'))
  const [message, ...others] = messages
  if (error !== null) return error
  if (message === undefined || others.length > 0 || !message.complete) return `${messages.length} messages`
  if (message.body !== body || message.target !== head.target || message.method !== head.method)
    return 'not the same'
  const fields = message.fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return fields.includes(head.fields) ? null : `fields ${fields}`
}

/** As `checkRequests`, for a pod's answer. The connection ends behind it. */
export function checkAnswer(bytes: Buffer, random: Random): string | null {
  const method = random.chance(0.1) ? 'HEAD' : 'POST'
  const oracle = parseByLlhttp('response', bytes, true, method === 'HEAD')
  let pos = 0
  let index = 0
  let head = readAnswerHead(bytes, pos, bytes.length, method)
  while (head.kind === 'head' && head.status < 200) {
    if (interimProblem(head) !== null) return null
    pos += head.length
    index++
    head = readAnswerHead(bytes, pos, bytes.length, method)
  }
  const theirs = oracle.messages[index]
  if (head.kind === 'incomplete') return theirs === undefined ? null : 'incomplete, llhttp reads a head'
  if (head.kind === 'bad') {
    const fine = theirs?.complete === true && !theirs.upgrade && /^1\.[01]$/.test(theirs.version)
    // llhttp skips a second CR behind the status line.
    if (head.problem === 'a status line without CRLF' && bytes.includes('\r\r')) return null
    return fine && !isLineEnd(bytes[pos]) && !stricterAnswers.some((pattern) => pattern.test(head.problem))
      ? `refused (${head.problem}), llhttp takes it`
      : null
  }
  if (theirs === undefined) return `forwarded, llhttp: ${oracle.error ?? 'incomplete'}`
  if (head.status !== theirs.status) return `status ${head.status}, llhttp ${theirs.status}`
  const expected = endToEnd(theirs.fields, answerHop)
  if (head.fields !== expected)
    return `fields ${JSON.stringify(head.fields)}, llhttp ${JSON.stringify(expected)}`
  let body = ''
  let complete = head.body === 'none'
  if (head.body !== 'none') {
    const reader = new BodyReader(head.body, head.contentLength)
    pos += head.length
    for (;;) {
      const found = reader.next(bytes, pos, bytes.length)
      if (found === bodyBad)
        return theirs.complete && !isStricterBody(reader.problem, bytes)
          ? `cut (${reader.problem}), llhttp takes it`
          : null
      if (found === bodyPiece) body += bytes.toString('latin1', reader.from, reader.to)
      else break
      pos = reader.pos
    }
    complete = reader.done || head.body === 'close'
  }
  // llhttp ignores announced trailers' absence and the like; what counts is the body.
  if (complete !== theirs.complete) return `complete ${complete}, llhttp ${theirs.complete} (${oracle.error})`
  if (body !== theirs.body) return `body ${JSON.stringify(body)}, llhttp ${JSON.stringify(theirs.body)}`
  const written = writeAnswerHead(head, false, null, false)
  const again = parseByLlhttp('response', Buffer.from(written, 'latin1'), false, method === 'HEAD')
  return again.error === null && again.messages[0]?.status === head.status
    ? null
    : `as we write it: ${again.error}`
}

const stricterAnswers: readonly RegExp[] = [
  /^a tab behind Transfer-Encoding/,
  /^a control byte in the reason/,
  /^a bad status code/,
  /^(two Stepflow-Instance-Id fields|a bad Stepflow-Instance-Id|two Content-Type fields)/,
  /^(Connection names an end-to-end field|a malformed Connection field)/,
  /^a Transfer-Encoding other than chunked/,
  /^Transfer-Encoding in HTTP\/1\.0/,
  /^(Content-Length beside Transfer-Encoding|two Transfer-Encoding fields)/,
  /^a bad Content-Length/,
]
