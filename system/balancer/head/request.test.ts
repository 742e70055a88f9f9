// Request heads: what is forwarded of a good one, and that every ambiguous or malformed one is refused.

import t from 'tap'
import { hostileRequests } from './hostile.ts'
import { chunkedBody, type HeadLimits, type RequestHead, readRequestHead, requestLimits } from './request.ts'

function read(text: string, limits: HeadLimits = requestLimits) {
  const bytes = Buffer.from(text, 'latin1')
  return readRequestHead(bytes, 0, bytes.length, limits)
}

function good(text: string): RequestHead {
  const head = read(text)
  if (head.kind !== 'head')
    throw new Error(`${head.kind}: ${JSON.stringify(head)} for ${JSON.stringify(text)}`)
  return head
}

function statusOf(text: string): number | string {
  const head = read(text)
  return head.kind === 'refusal' ? head.status : head.kind
}

const host = 'Host: pods\r\n'
const postLine = `POST / HTTP/1.1\r\n${host}`

t.test('reads what the runtime sends', async (t) => {
  const text =
    'POST /x?y=1 HTTP/1.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n' +
    'host: 127.0.0.1:8090\r\ncontent-length: 123\r\nstepflow-instance-id: pod-1\r\ntraceparent: 00-a-b-01\r\n\r\n'
  const head = good(`${text}BODY`)
  t.same(head, {
    kind: 'head',
    length: text.length,
    method: 'POST',
    target: '/x?y=1',
    old: false,
    keepAlive: true,
    bodyBytes: 123,
    fields:
      'content-type: application/json\r\naccept: application/json, text/event-stream\r\nhost: 127.0.0.1:8090\r\n' +
      'stepflow-instance-id: pod-1\r\ntraceparent: 00-a-b-01\r\n',
    hasHost: true,
    instanceId: 'pod-1',
    expectsContinue: false,
    traceparent: '00-a-b-01',
    written: null,
    packed: null,
  })
})

t.test('says incomplete at every cut of a good head, and reads it from there', async (t) => {
  const text = `\r\nPOST /a HTTP/1.1\r\n${host}x:  y \r\nContent-Length: 0\r\n\r\n`
  for (let cut = 0; cut < text.length; cut++) t.equal(statusOf(text.slice(0, cut)), 'incomplete')
  t.equal(good(text).fields, `${host}x: y\r\n`)
})

t.test('writes every field anew as `name: value`', async (t) => {
  const head = good(`GET / HTTP/1.1\r\nHost:pods\r\nA:b\r\nC: \t d\t \r\nEmpty:\r\nLast: z\r\n\r\n`)
  t.equal(head.fields, 'Host: pods\r\nA: b\r\nC: d\r\nEmpty: \r\nLast: z\r\n')
})

t.test('drops framing and hop-by-hop fields, and those that Connection names', async (t) => {
  const head = good(
    `GET / HTTP/1.1\r\nTE: trailers\r\n${host}Connection: keep-alive, X-Hop\r\nKeep-Alive: 5\r\nX-Hop: 1\r\nA: b\r\n` +
      'Proxy-Connection: x\r\nUpgrade: websocket\r\nTrailer: x\r\nHTTP2-Settings: x\r\nX-Forwarded-By: me\r\n\r\n',
  )
  t.equal(head.fields, `${host}A: b\r\n`)
  t.equal(head.keepAlive, true)
})

t.test('drops fields that CGI and WSGI take for framing or for the instance id', async (t) => {
  const head = good(
    `${postLine}Content_Length: 99\r\nTransfer_Encoding: chunked\r\nSTEPFLOW_Instance-Id: b\r\nX_Other_Field: c\r\n` +
      'Content-Length: 5\r\n\r\n',
  )
  t.equal(head.fields, `${host}X_Other_Field: c\r\n`)
  t.match(head, { bodyBytes: 5, instanceId: null })
})

t.test('reads how the body is framed and whether the connection stays', async (t) => {
  t.equal(good(`${postLine}Content-Length: 007\r\n\r\n`).bodyBytes, 7)
  t.equal(good(`${postLine}Content-Length: 9007199254740991\r\n\r\n`).bodyBytes, Number.MAX_SAFE_INTEGER)
  t.equal(good(`${postLine}Transfer-Encoding: Chunked\r\n\r\n`).bodyBytes, chunkedBody)
  t.equal(good(`${postLine}\r\n`).bodyBytes, 0)
  t.equal(good(`${postLine}Connection: close\r\n\r\n`).keepAlive, false)
  t.equal(good(`${postLine}Connection: Upgrade, Close\r\n\r\n`).keepAlive, false)
  t.match(good('GET / HTTP/1.0\r\n\r\n'), { old: true, keepAlive: false, hasHost: false })
  t.equal(good(`${postLine}Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n`).expectsContinue, true)
})

t.test('takes an absolute target that agrees with Host, and OPTIONS *', async (t) => {
  t.equal(good(`GET http://PODS/a?b HTTP/1.1\r\n${host}\r\n`).target, '/a?b')
  t.equal(good(`GET http://pods HTTP/1.1\r\n${host}\r\n`).target, '/')
  t.equal(good(`GET http://pods?q HTTP/1.1\r\n${host}\r\n`).target, '/?q')
  t.equal(good(`OPTIONS * HTTP/1.1\r\n${host}\r\n`).target, '*')
})

for (const [name, [status, text]] of Object.entries(hostileRequests)) {
  t.test(`refuses ${name} with ${status}`, async (t) => {
    t.equal(statusOf(text), status)
  })
}

const long = (count: number) => 'a'.repeat(count)

t.test('takes a head of exactly the limits', async (t) => {
  const start = `${postLine}A: `
  const text = `${start}${long(16_384 - start.length - 4)}\r\n\r\n`
  t.equal(text.length, 16_384)
  good(text)
  good(`${postLine}${'A: b\r\n'.repeat(99)}\r\n`)
  good(`GET /${long(8191)} HTTP/1.1\r\n${host}\r\n`)
})
