// Tests of event streams: read however they are cut, bounded, written in ASCII.

import fc from 'fast-check'
import t from 'tap'
import { createSseDecoder, encodeEvent } from './sse.ts'

const decode = (chunks: readonly Uint8Array[], end = true, limit?: number): string[] => {
  const events: string[] = []
  const decoder = createSseDecoder((data) => events.push(data), limit)
  for (const chunk of chunks) decoder.push(chunk)
  if (end) decoder.end()
  return events
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test('reads events whatever ends their lines', async (t) => {
  for (const eol of ['\n', '\r\n', '\r']) {
    const text = `data: a${eol}${eol}: comment${eol}event: x${eol}data:b${eol}data${eol}data:  c${eol}${eol}id: 1${eol}${eol}`
    t.same(decode([bytes(text)]), ['a', 'b\n\n c'], JSON.stringify(eol))
  }
})

t.test('reads the same events however the bytes are cut', async () => {
  const text = 'data: {"é":"😀"}\r\n\r\ndata: two\ndata: lines\n\n: ping\n\ndata: last\n\n'
  const whole = bytes(text)
  fc.assert(
    fc.property(fc.array(fc.nat({ max: whole.length }), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), whole.length]
      const chunks = places.slice(1).map((place, index) => whole.subarray(places[index], place))
      return JSON.stringify(decode(chunks)) === JSON.stringify(['{"é":"😀"}', 'two\nlines', 'last'])
    }),
    { seed: 7, numRuns: 300 },
  )
})

t.test('a last event without its blank line counts at the end only', async (t) => {
  t.same(decode([bytes('data: a')], false), [])
  t.same(decode([bytes('data: a')]), ['a'])
  t.same(decode([bytes('data: a\n')]), ['a'])
})

t.test('skips a byte order mark', async (t) => {
  t.same(decode([bytes('\ufeffdata: a\n\n')]), ['a'])
})

t.test('refuses an event beyond the limit, in one line or many', async (t) => {
  t.same(decode([bytes(`data: ${'x'.repeat(94)}\n\n`)], true, 100), ['x'.repeat(94)])
  t.throws(() => decode([bytes(`data: ${'x'.repeat(101)}`)], true, 100), { code: 'ERR_STREAM_LIMIT' })
  t.throws(() => decode([bytes(`data: ${'x'.repeat(50)}\n`.repeat(3))], true, 100), {
    code: 'ERR_STREAM_LIMIT',
  })
})

t.test('writes events in ASCII that read back the same', async (t) => {
  const json = JSON.stringify({ a: 'é😀\n', b: 1 })
  const event = encodeEvent(json)
  t.match(event, /^data: [\x20-\x7e]+\n\n$/)
  t.same(JSON.parse(decode([bytes(event)])[0] ?? ''), JSON.parse(json))
})

t.test('characters are whole however chunks cut them, also behind chunks of ASCII', async (t) => {
  const bytes = Buffer.from('data: a\n\ndata: é€😀b\n\ndata: c\n\n')
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const seen: string[] = []
      const decoder = createSseDecoder((data) => void seen.push(data))
      for (const piece of [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)])
        decoder.push(piece)
      decoder.end()
      if (seen.join('|') !== 'a|é€😀b|c') t.fail(`cut at ${first} and ${second}: ${seen.join('|')}`)
    }
  }
})
