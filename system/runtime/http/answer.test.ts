// Tests of reading answers: every framing however it is cut, and what is refused.

import fc from 'fast-check'
import t from 'tap'
import { type AnswerHead, createAnswerHeadReader, parseAnswerHead } from './answer.ts'
import { BadMessage, MessageParser } from './parser.ts'

interface Read {
  heads: AnswerHead[]
  body: string
  ended: number
  problem: string | null
}

const read = (chunks: readonly string[], close = false): Read => {
  const result: Read = { heads: [], body: '', ended: 0, problem: null }
  const parser = new MessageParser(parseAnswerHead, {
    onHead: (head) => void result.heads.push(head),
    onData: (bytes) => {
      result.body += bytes.toString('latin1')
    },
    onWhole: () => {
      result.ended++
    },
  })
  try {
    for (const chunk of chunks) {
      if (parser.push(Buffer.from(chunk, 'latin1')) !== null) throw new BadMessage('bytes after the answer')
    }
    if (close) parser.end()
  } catch (error) {
    result.problem = error instanceof Error ? error.message : String(error)
  }
  return result
}

const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nT: 1\r\n\r\n'

t.test('reads a body by its length, and none where there is none', async (t) => {
  const result = read([
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: a/b\r\nstepflow-instance-id: p-1\r\n\r\nabc',
  ])
  t.equal(result.body, 'abc')
  t.equal(result.ended, 1)
  t.match(result.heads, [{ status: 200, contentType: 'a/b', instanceId: 'p-1', keepAlive: true }])
  t.match(read(['HTTP/1.1 204 No Content\r\n\r\n']), { ended: 1, body: '' })
  t.match(read(['HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n']), { ended: 1, problem: null })
})

t.test('reads chunks however the bytes are cut', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: chunked.length }), { maxLength: 10 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), chunked.length]
      const result = read(places.slice(1).map((place, index) => chunked.slice(places[index], place)))
      return result.body === 'abc0123456789' && result.ended === 1 && result.problem === null
    }),
    { seed: 7, numRuns: 300 },
  )
})

t.test('reads until the close where nothing else ends the body', async (t) => {
  t.match(read(['HTTP/1.0 200 OK\r\n\r\nab', 'c'], true), { body: 'abc', ended: 1, problem: null })
  t.match(read(['HTTP/1.1 200 OK\r\n\r\nab']), { body: 'ab', ended: 0, heads: [{ keepAlive: false }] })
})

t.test('passes over an interim answer', async (t) => {
  const result = read(['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na'])
  t.match(result, { body: 'a', ended: 1 })
  t.equal(result.heads.length, 1)
})

t.test('knows when a connection must not serve again', async (t) => {
  for (const [field, keepAlive] of [
    ['connection: close', false],
    ['Connection: keep-alive, Close', false],
    ['connection: keep-alive', true],
    ['connection: closed-not', true],
  ] as const) {
    t.match(
      read([`HTTP/1.1 200 OK\r\n${field}\r\ncontent-length: 0\r\n\r\n`]),
      { heads: [{ keepAlive }] },
      field,
    )
  }
})

t.test('says that an answer ended in the middle', async (t) => {
  const problem = 'connection closed before message completed'
  t.equal(read(['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc'], true).problem, problem)
  t.equal(read([chunked.slice(0, -4)], true).problem, problem)
  t.equal(read(['HTTP/1.1 2'], true).problem, problem)
})

t.test('refuses what can be read in two ways, or not at all', async (t) => {
  const ok = 'HTTP/1.1 200 OK\r\n'
  const chunks = `${ok}transfer-encoding: chunked\r\n\r\n`
  for (const text of [
    'HTTP/2 200\r\n\r\n',
    'nonsense\r\n\r\n',
    `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\na`,
    `${ok}content-length: +1\r\n\r\na`,
    `${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\na`,
    `${ok}transfer-encoding: gzip, chunked\r\n\r\n`,
    `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`,
    `${ok}no colon\r\n\r\n`,
    `${ok}a: b\nc: d\r\n\r\n`,
    `${ok}content-length: 1\r\n\r\nab`,
    `${chunks}0x1\r\na\r\n0\r\n\r\n`,
    `${chunks}-1\r\n`,
    `${chunks}1\na\r\n0\r\n\r\n`,
    `${chunks}1\r\nab\r\n0\r\n\r\n`,
    `${chunks}${'1'.repeat(300)}`,
    `${ok}x: ${'y'.repeat(17_000)}`,
  ]) {
    t.type(read([text]).problem, 'string', text.slice(0, 80))
  }
})

t.test('reads a head that comes again only once, and keeps few', async (t) => {
  const readHead = createAnswerHeadReader()
  const head = (length: number): string => `HTTP/1.1 200 OK\r\ncontent-length: ${length}`
  t.equal(readHead(head(1)), readHead(head(1)))
  t.match(readHead(head(2)), { framing: { bytes: 2 } })
  t.equal(readHead('HTTP/1.1 100 Continue'), null)
  t.throws(() => readHead('HTTP/1.1 200 OK\r\nno colon'))
  t.throws(() => readHead('HTTP/1.1 200 OK\r\nno colon'))
  const first = readHead(head(1))
  for (let length = 0; length < 200; length++) readHead(head(length))
  t.not(readHead(head(1)), first)
  t.same(readHead(head(1)), first)
  const long = `${head(1)}\r\nx: ${'y'.repeat(2_000)}`
  t.not(readHead(long), readHead(long))
})
