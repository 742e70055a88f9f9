// Tests of the crash-loop back-off.

import { test } from 'tap'
import { restartAfter } from './back-off.ts'

const settings = { backOffMs: 500, backOffLimitMs: 10_000, backOffResetMs: 20_000 }

test('restarts at once, then after ever longer pauses up to the limit', async (t) => {
  const delays: number[] = []
  for (let next = 0, i = 0; i < 8; i++) {
    const restart = restartAfter(next, 100, settings)
    delays.push(restart.delayMs)
    next = restart.nextMs
  }
  t.same(delays, [0, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
})

test('starts over after a long enough run', async (t) => {
  t.same(restartAfter(8_000, 20_000, settings), { delayMs: 0, nextMs: 500 })
  t.same(restartAfter(8_000, 19_999, settings), { delayMs: 8_000, nextMs: 10_000 })
})
