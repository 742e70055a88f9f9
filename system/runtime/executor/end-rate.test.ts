// Tests of when a refused client should come again.

import t from 'tap'
import { EndRate } from './end-rate.ts'

t.test('half the time that those ahead need, between one second and thirty', async (t) => {
  const rate = new EndRate(0)
  t.equal(rate.retryAfterSeconds(1_000, 500), 1, 'nothing is known yet')
  for (let at = 0; at < 1_000; at += 10) rate.note(at)
  t.equal(rate.retryAfterSeconds(1_000, 1_000), 5)
  t.equal(rate.retryAfterSeconds(10, 1_000), 1)
  t.equal(rate.retryAfterSeconds(1_000_000, 1_000), 30)
  t.equal(rate.retryAfterSeconds(1_000, 3_000), 1, 'what ended long ago says nothing')
})
