// Tests of the reader: it cuts where messages and events end, however the bytes come, and loses none.

import t, { type Test } from 'tap'
import { HttpReader, type Piece } from './http-reader.ts'

function read(t: Test, reader: HttpReader, text: string, size: number): Piece[] {
  const pieces: Piece[] = []
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(bytes.subarray(at, at + size), (piece) => pieces.push(piece))
  }
  t.equal(Buffer.concat(pieces.map((piece) => piece.bytes)).toString(), text, `every byte, by ${size}`)
  return pieces
}

const requests = [
  'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{"id": "ä"}',
  'GET /health HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n',
]

t.test('counts requests with every framing, however they are cut', async (t) => {
  for (const size of [1, 2, 7, 1_000]) {
    const reader = new HttpReader(null)
    const ends = read(t, reader, requests.join(''), size).filter((piece) => piece.last)
    t.same(
      ends.map(({ message }) => message),
      [0, 1, 2],
    )
  }
})

t.test('tells the first line and the body of a request while it is read', async (t) => {
  const seen: string[] = []
  const reader = new HttpReader(null)
  reader.push(Buffer.from(requests.join('')), ({ last }) => {
    if (last) seen.push(`${reader.startLine} ${reader.body}`)
  })
  t.same(seen, ['POST /a HTTP/1.1 {"id": "ä"}', 'GET /health HTTP/1.1 ', 'POST /b HTTP/1.1 {"a":1}'])
})

const events = ['data: {"n":1}\n\n', ': ping\r\n\r\n', 'event: message\ndata: grüße\n\n']
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'

t.test('cuts at each event, in every framing, however it is cut', async (t) => {
  const whole = events.join('')
  const forms = {
    'a chunk each': `${head}Transfer-Encoding: chunked\r\n\r\n${events.map(chunk).join('')}0\r\n\r\n`,
    'one chunk': `${head}Transfer-Encoding: chunked\r\n\r\n${chunk(whole)}0\r\n\r\n`,
    'a length': `${head}Content-Length: ${Buffer.byteLength(whole)}\r\n\r\n${whole}`,
    'until close': `${head}\r\n${whole}`,
  }
  for (const [name, text] of Object.entries(forms)) {
    for (const size of [1, 3, 64, 10_000]) {
      const found = read(t, new HttpReader(() => false), text, size).filter(({ kind }) => kind === 'event')
      t.same(
        found.map(({ event }) => event),
        [1, 2, 3],
        `${name}, by ${size}`,
      )
    }
  }
})

t.test(
  'an event with a chunk of its own ends with its chunk, so that the reader gets it whole',
  async (t) => {
    const text = `${head}Transfer-Encoding: chunked\r\n\r\n${events.map(chunk).join('')}`
    const found = read(t, new HttpReader(() => false), text, 10_000).filter(({ kind }) => kind === 'event')
    t.same(
      found.map(({ bytes }) => bytes.toString()),
      events.map(chunk),
    )
  },
)

t.test('an interim answer is none, and a HEAD has no body', async (t) => {
  const reader = new HttpReader((message) => message === 1)
  const text = [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
  ].join('')
  const ends = read(t, reader, text, 5).filter((piece) => piece.last)
  t.same(
    ends.map(({ message }) => message),
    [0, 1, 2],
  )
})

t.test('passes what is no HTTP as it is', async (t) => {
  for (const text of [
    '\x16\x03\x01 no HTTP\r\n\r\nabc',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc',
  ])
    t.equal(read(t, new HttpReader(() => false), text, 4).at(-1)?.kind, 'opaque')
})
