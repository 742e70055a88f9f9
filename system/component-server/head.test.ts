// Tests of the head parser: what it reads, and each thing it refuses.

import t from 'tap'
import { type BadHead, createHeadReader, parseHead, type RequestHead } from './head.ts'

const lines = (...list: string[]): string => list.join('\r\n')
const ok = (...list: string[]): RequestHead => parseHead(lines(...list)) as RequestHead
const refused = (...list: string[]): BadHead => parseHead(lines(...list)) as BadHead

t.test('reads what the server needs of a request', async (t) => {
  t.strictSame(
    ok(
      'POST /?x=1 HTTP/1.1',
      'Host: a',
      'Content-Length: 12',
      'content-type:application/json',
      'Accept: application/json',
      'accept: text/event-stream',
      'Stepflow-Instance-Id: \t pod-1 ',
      'Via: 1.1 a',
      'Via: 1.1 b',
      'TraceParent: 00-1-2-01',
    ),
    {
      kind: 'head',
      method: 'POST',
      path: '/',
      minor: 1,
      keepAlive: true,
      bodyBytes: 12,
      expectContinue: false,
      contentType: 'application/json',
      accept: 'application/json, text/event-stream',
      pinned: 'pod-1',
      via: '1.1 a, 1.1 b',
      traceparent: '00-1-2-01',
    },
  )
})

t.test('knows how long a connection and a body last', async (t) => {
  t.equal(ok('GET / HTTP/1.0').keepAlive, false)
  t.equal(ok('GET / HTTP/1.1', 'Host: a', 'Connection: x, Close').keepAlive, false)
  t.equal(ok('GET / HTTP/1.1', 'Host: a').bodyBytes, 0)
  t.equal(ok('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: Chunked').bodyBytes, -1)
  t.equal(ok('POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue').expectContinue, true)
})

const host = 'Host: a'
const hostile: [string, number, string[]][] = [
  ['both framings', 400, ['POST / HTTP/1.1', host, 'Content-Length: 1', 'Transfer-Encoding: chunked']],
  ['two lengths', 400, ['POST / HTTP/1.1', host, 'Content-Length: 1', 'Content-Length: 1']],
  ['a list of lengths', 400, ['POST / HTTP/1.1', host, 'Content-Length: 5, 5']],
  ['a signed length', 400, ['POST / HTTP/1.1', host, 'Content-Length: +5']],
  ['a hexadecimal length', 400, ['POST / HTTP/1.1', host, 'Content-Length: 0x5']],
  ['an empty length', 400, ['POST / HTTP/1.1', host, 'Content-Length:']],
  ['a length beyond exact numbers', 400, ['POST / HTTP/1.1', host, 'Content-Length: 9007199254740993']],
  ['another coding', 501, ['POST / HTTP/1.1', host, 'Transfer-Encoding: gzip, chunked']],
  ['a disguised coding', 501, ['POST / HTTP/1.1', host, 'Transfer-Encoding: xchunked']],
  ['a coding with a vertical tab', 400, ['POST / HTTP/1.1', host, 'Transfer-Encoding: \x0bchunked']],
  ['a coding in HTTP/1.0', 400, ['POST / HTTP/1.0', 'Transfer-Encoding: chunked']],
  ['a blank before the colon', 400, ['POST / HTTP/1.1', host, 'Transfer-Encoding : chunked']],
  ['a folded line', 400, ['POST / HTTP/1.1', host, 'X: a', ' b']],
  ['a bare line feed', 400, ['POST / HTTP/1.1', host, 'X: a\nContent-Length: 5']],
  ['a bare carriage return', 400, ['POST / HTTP/1.1', host, 'X: a\rb']],
  ['a NUL in a value', 400, ['POST / HTTP/1.1', host, 'X: a\0b']],
  ['a line without colon', 400, ['POST / HTTP/1.1', host, 'X']],
  ['an empty name', 400, ['POST / HTTP/1.1', host, ': a']],
  ['a name that is no token', 400, ['POST / HTTP/1.1', host, 'X(y): a']],
  ['no Host', 400, ['POST / HTTP/1.1']],
  ['two Hosts', 400, ['POST / HTTP/1.1', host, host]],
  ['two instance ids', 400, ['POST / HTTP/1.1', host, 'Stepflow-Instance-Id: a', 'stepflow-instance-id: b']],
  ['an absolute target', 400, ['POST http://a/ HTTP/1.1', host]],
  ['a long target', 414, [`GET /${'a'.repeat(9000)} HTTP/1.1`, host]],
  ['a version of two digits', 400, ['POST / HTTP/1.10', host]],
  ['HTTP/2', 505, ['PRI / HTTP/2.0', host]],
  ['CONNECT', 405, ['CONNECT /a HTTP/1.1', host]],
  ['an unknown method', 501, ['FROB / HTTP/1.1', host]],
  ['a tab behind a length', 400, ['POST / HTTP/1.1', host, 'Content-Length: 5 \t ']],
  ['a lower-case method', 400, ['post / HTTP/1.1', host]],
  ['two blanks in the request line', 400, ['POST  / HTTP/1.1', host]],
  ['an expectation unknown', 417, ['POST / HTTP/1.1', host, 'Expect: cake']],
  ['too many fields', 431, ['GET / HTTP/1.1', host, ...new Array(100).fill('X: y')]],
]

for (const [name, status, head] of hostile) {
  t.test(`refuses ${name}`, async (t) => {
    t.match(refused(...head), { kind: 'bad', status })
  })
}

t.test('reads a head that comes again once, and forgets', async (t) => {
  const read = createHeadReader()
  const text = (path: number): string => `GET /${path} HTTP/1.1\r\nhost: a`
  const first = read(text(0))
  t.equal(read(text(0)), first)
  t.match(read(text(1)), { path: '/1' })
  for (let path = 2; path < 40; path++) t.match(read(text(path)), { path: `/${path}` })
  t.not(read(text(0)), first)
  t.match(read('GET'), { kind: 'bad' })
})
