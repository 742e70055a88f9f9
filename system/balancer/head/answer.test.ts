// Pods' response heads: what is forwarded of a good one, and that one which could be read two ways is not.

import t from 'tap'
import { type AnswerHead, readAnswerHead } from './answer.ts'
import { hostileAnswers } from './hostile.ts'

function read(text: string, method = 'POST') {
  const bytes = Buffer.from(text, 'latin1')
  return readAnswerHead(bytes, 0, bytes.length, method)
}

function good(text: string, method?: string): AnswerHead {
  const head = read(text, method)
  if (head.kind !== 'head') throw new Error(`${JSON.stringify(head)} for ${JSON.stringify(text)}`)
  return head
}

t.test('reads the head of a stream', async (t) => {
  const text =
    'HTTP/1.1 200 OK\r\nstepflow-instance-id: 22506940e92e4b24\r\ncontent-type: text/event-stream; charset=utf-8\r\n' +
    'Transfer-Encoding: chunked\r\n\r\n'
  t.same(good(text), {
    kind: 'head',
    length: text.length,
    status: 200,
    reason: 'OK',
    body: 'chunked',
    contentLength: -1,
    keepAlive: true,
    fields: 'stepflow-instance-id: 22506940e92e4b24\r\ncontent-type: text/event-stream; charset=utf-8\r\n',
    instanceId: '22506940e92e4b24',
    stream: true,
    written: null,
    packed: null,
  })
})

t.test('says incomplete at every cut of a good head', async (t) => {
  const text = 'HTTP/1.1 204 No Content\r\nA:b\r\nDate: x\r\n\r\n'
  for (let cut = 0; cut < text.length; cut++) t.equal(read(text.slice(0, cut)).kind, 'incomplete')
  t.equal(good(text).fields, 'A: b\r\nDate: x\r\n')
})

t.test('knows how each body ends (RFC 9112 6.3)', async (t) => {
  const ok = 'HTTP/1.1 200 OK\r\n'
  t.match(good(`${ok}Content-Length: 5\r\n\r\n`), { body: 'length', contentLength: 5, keepAlive: true })
  t.match(good(`${ok}Content-Length: 0\r\n\r\n`), { body: 'none', contentLength: 0 })
  t.match(good(`${ok}\r\n`), { body: 'close', keepAlive: false })
  t.match(good(`${ok}Content-Length: 5\r\n\r\n`, 'HEAD'), { body: 'none', contentLength: 5 })
  t.match(good(`${ok}Transfer-Encoding: chunked\r\n\r\n`, 'HEAD'), { body: 'none' })
  t.match(good('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'), { body: 'none' })
  t.match(good('HTTP/1.1 100 Continue\r\n\r\n'), { body: 'none', status: 100 })
  t.match(good('HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n'), { keepAlive: false })
  t.match(good('HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n'), { keepAlive: true })
  t.match(good(`${ok}Content-Length: 1\r\nConnection: close\r\n\r\n`), { keepAlive: false })
  t.match(good('HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n'), { reason: '' })
})

t.test('drops hop-by-hop fields and those that Connection names', async (t) => {
  const head = good(
    'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nA: b\r\nUpgrade: h2c\r\n' +
      'Content-Length: 1\r\n\r\n',
  )
  t.equal(head.fields, 'A: b\r\n')
  t.equal(head.keepAlive, true)
})

for (const [name, text] of Object.entries(hostileAnswers)) {
  t.test(`refuses ${name}`, async (t) => {
    t.equal(read(text).kind, 'bad')
  })
}
