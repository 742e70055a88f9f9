// Tests of gathering a body's parts: the same bytes however they were cut, and memory by bytes.

import fc from 'fast-check'
import t from 'tap'
import { Gatherer } from './gather.ts'

t.test('gives the bytes that came, and starts again', async (t) => {
  const gatherer = new Gatherer()
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 12 }), (parts) => {
      for (const part of parts) gatherer.add(part)
      const whole = Buffer.concat(parts)
      return gatherer.length === whole.length && gatherer.take().equals(whole) && gatherer.length === 0
    }),
    { numRuns: 200, seed: 1 },
  )
  t.equal(gatherer.take().length, 0)
})

t.test(
  'keeps what it was given, whatever becomes of the memory; one part that is taken at once is not copied',
  async (t) => {
    const part = Buffer.from('abc')
    const gatherer = new Gatherer()
    gatherer.add(part)
    part.fill('x')
    t.equal(gatherer.take().toString(), 'abc')
    gatherer.add(part, true)
    t.equal(gatherer.take().buffer, part.buffer)
  },
)

t.test('a million parts of one byte take memory for a million bytes', async (t) => {
  const gatherer = new Gatherer()
  const from = Buffer.alloc(64 * 1024, 'x')
  const before = process.memoryUsage()
  for (let at = 0; at < 1_000_000; at++) gatherer.add(from.subarray(at % 1000, (at % 1000) + 1))
  const { arrayBuffers } = process.memoryUsage()
  t.equal(gatherer.length, 1_000_000)
  t.ok(arrayBuffers - before.arrayBuffers < 8_000_000, `${arrayBuffers - before.arrayBuffers} bytes more`)
  t.equal(gatherer.take().length, 1_000_000)
})
