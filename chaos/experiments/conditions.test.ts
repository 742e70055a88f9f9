// Tests of conditions: figures over whole seconds of a stretch; what was not measured holds nothing.

import t from 'tap'
import type { LoadResult, LoadSecond } from '../../contracts/load.ts'
import { describeCondition, measure } from './conditions.ts'

const second = (n: number, completed: number, failed: number, p99Ms: number): LoadSecond => ({
  second: n,
  planned: 10,
  offered: 10,
  completed,
  failed,
  open: n,
  p50Ms: 1,
  p99Ms,
  lagMs: 0,
})
const load = {
  startedAt: 0,
  seconds: [second(0, 10, 0, 5), second(1, 5, 5, 900), second(2, 10, 0, 6)],
} as unknown as LoadResult
const loads = [{ name: 'a', load }]
const all = { from: 0, until: 3e6 }

t.test('measures each figure over whole seconds within the stretch', async (t) => {
  const value = (metric: Parameters<typeof measure>[0]['metric'], stretch = all) =>
    measure({ metric, atLeast: 0 }, loads, stretch)[0]?.value
  t.equal(value('success-share'), 25 / 30)
  t.equal(value('success-share', { from: 1, until: 2.5e6 }), 0.5)
  t.equal(value('completed-rps'), 25 / 3)
  t.equal(value('p99-ms'), 900)
  t.equal(value('open-runs'), 2)
})

t.test('tells whether it holds; of nothing measured neither', async (t) => {
  const holds = (atLeast: number, stretch = all) =>
    measure({ metric: 'success-share', atLeast }, loads, stretch)[0]?.holds
  t.equal(holds(0.8), true)
  t.equal(holds(0.9), false)
  t.equal(holds(0.9, { from: 0, until: 1 }), null)
  t.same(measure({ metric: 'p99-ms', load: 'b', atMost: 1 }, loads, all), [])
  t.equal(describeCondition({ metric: 'p99-ms', load: 'a', atMost: 9 }), 'p99-ms of a at most 9')
})
