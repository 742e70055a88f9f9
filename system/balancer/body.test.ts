// Bodies: where they end, at every cut, and that malformed chunks are refused.

import t from 'tap'
import { BodyReader, bodyBad, bodyDone, bodyMore, bodyPiece } from './body.ts'
import { hostileChunks } from './head/hostile.ts'

/** Reads `text` in pieces of `step` bytes; returns the payload, how it ended and what was left. */
function read(reader: BodyReader, text: string, step = text.length) {
  let payload = ''
  for (let at = 0; at < text.length; at += step) {
    const bytes = Buffer.from(text.slice(at, at + step), 'latin1')
    let pos = 0
    for (;;) {
      const found = reader.next(bytes, pos, bytes.length)
      if (found === bodyPiece) {
        payload += bytes.toString('latin1', reader.from, reader.to)
        pos = reader.pos
        continue
      }
      if (found === bodyDone) return { payload, end: 'done', left: text.slice(at + reader.pos) }
      if (found === bodyBad) return { payload, end: reader.problem, left: '' }
      if (found !== bodyMore) throw new Error(`found ${found}`)
      break
    }
  }
  return { payload, end: reader.done ? 'done' : 'more', left: '' }
}

t.test('reads a body by its length and leaves what stands behind it', async (t) => {
  for (const step of [1, 2, 100]) {
    t.same(read(new BodyReader('length', 3), 'abcGET', step), { payload: 'abc', end: 'done', left: 'GET' })
  }
  t.same(read(new BodyReader('length', 0), 'GET'), { payload: '', end: 'done', left: 'GET' })
  t.same(read(new BodyReader('length', 5), 'abc'), { payload: 'abc', end: 'more', left: '' })
})

t.test('reads chunks at every cut, and drops extensions and trailers', async (t) => {
  const text = '5;a=b;c="d"\r\nhello\r\n00A\r\n0123456789\r\n1\r\n\r\r\n0\r\nX-Trailer: y\r\nZ:\r\n\r\nGET'
  for (let step = 1; step <= text.length; step++) {
    t.same(read(new BodyReader('chunked', -1), text, step), {
      payload: 'hello0123456789\r',
      end: 'done',
      left: 'GET',
    })
  }
})

t.test('reads to the end of the connection', async (t) => {
  t.same(read(new BodyReader('close', -1), 'abc', 1), { payload: 'abc', end: 'more', left: '' })
})

for (const [name, text] of Object.entries(hostileChunks)) {
  t.test(`refuses ${name}`, async (t) => {
    for (const step of [1, 3, text.length]) {
      const { end } = read(new BodyReader('chunked', -1), text, step)
      t.notMatch(end, /^(done|more)$/)
    }
  })
}
