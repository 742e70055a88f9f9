import t from 'tap'
import type { LoadResult } from '../../contracts/load.ts'
import { latencyDoubts } from './doubts.ts'

/** A load of 100 samples. */
function aLoad(fields: {
  readonly lagMs?: number
  readonly busy?: number
  readonly dropped?: number
}): LoadResult {
  return {
    dropped: fields.dropped ?? 0,
    lag: { p50Ms: 0.5, p99Ms: fields.lagMs ?? 20, maxMs: 90 },
    generatorUtilization: fields.busy ?? 0.8,
    latency: { count: 100 },
  } as unknown as LoadResult
}

const many = (count: number, fields = {}): readonly LoadResult[] =>
  Array.from({ length: count }, () => aLoad(fields))

t.test('has none of loads whose generator kept up', async (t) => {
  t.same(latencyDoubts(many(1)), [])
  t.same(latencyDoubts(many(5), 'p99'), [])
})

t.test('doubts loads that were dropped from, busy or short', async (t) => {
  t.match(latencyDoubts([aLoad({ dropped: 3 }), aLoad({ dropped: 1 })]), [/^4 arrivals were dropped/])
  t.match(latencyDoubts([aLoad({}), aLoad({ busy: 0.81 })]), [/busy 81 % of the time/])
  t.same(latencyDoubts(many(4), 'p99'), ['400 samples, p99 needs 459'])
  t.same(latencyDoubts([]), ['0 samples, p95 needs 90'])
})

t.test('doubts them when more than a fifth of the samples came late', async (t) => {
  t.same(latencyDoubts([...many(4), aLoad({ lagMs: 21 })]), [])
  t.match(latencyDoubts([...many(3), aLoad({ lagMs: 21 })]), [
    /^100 of 400 samples are of loads whose generator/,
  ])
})
