import t from 'tap'
import type { LoadResult } from '../../contracts/load.ts'
import { latencyDoubts } from './doubts.ts'

const sound = {
  dropped: 0,
  lag: { p50Ms: 0.5, p99Ms: 20, maxMs: 90 },
  generatorUtilization: 0.8,
  latency: { count: 459 },
} as unknown as LoadResult

t.test('has none of a load whose generator kept up', async (t) => {
  t.same(latencyDoubts(sound, 'p99'), [])
})

t.test('doubts a load that was dropped from, late, busy or short', async (t) => {
  const doubtful = {
    ...sound,
    ...{ dropped: 3, lag: { ...sound.lag, p99Ms: 20.1 }, generatorUtilization: 0.81 },
    latency: { ...sound.latency, count: 89 },
  }
  t.match(latencyDoubts(doubtful), [
    /3 arrivals were dropped/,
    /20\.1 ms late at p99/,
    /busy 81 % of the time/,
    /89 samples, p95 needs 90/,
  ])
  t.same(latencyDoubts({ ...doubtful, ...sound, latency: { ...sound.latency, count: 458 } }, 'p99'), [
    '458 samples, p99 needs 459',
  ])
})
