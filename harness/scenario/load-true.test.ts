// Tests of a generator's word against its records: each lie is noticed.

import t from 'tap'
import type { History, WitnessedRecord } from '../../contracts/history.ts'
import type { LoadResult } from '../../contracts/load.ts'
import { loadTrue } from './load-true.ts'

const startedAt = 1_000_000
/** 100 arrivals at 100/s, each 50 µs late and answered 2 ms after its plan. */
const records: History = Array.from({ length: 100 }, (_, index): WitnessedRecord[] => {
  const planned = startedAt + index * 10_000
  const base = { witness: 'client', pod: 'client', request: `s-0-${index}` } as const
  return [
    { ...base, at: planned + 50, kind: 'run.offered', workload: 'w', planned },
    { ...base, at: planned + 2_000, kind: 'run.answered', outcome: 'completed', correct: true },
  ]
}).flat()

const load: LoadResult = {
  ...{ engine: 'embedded', workload: 'w', startedAt, endedAt: 2_000_000, planned: 100 },
  profile: { kind: 'constant', rateRps: 100, durationMs: 1_000 },
  ...{ offered: 100, completed: 100, failed: 0, refused: 0, unknown: 0, dropped: 0, incorrect: 0 },
  ...{ offeredRps: 100, achievedRps: 100, histogram: '', generatorUtilization: 0.1, seconds: [], errors: [] },
  latency: { ...{ count: 100, minMs: 2, meanMs: 2, p50Ms: 2, p90Ms: 2, p95Ms: 2, p99Ms: 2 }, maxMs: 2 },
  lag: { p50Ms: 0.05, p99Ms: 0.05, maxMs: 0.05 },
}
const judge = (said: Partial<LoadResult>, history = records) =>
  loadTrue(history, [{ name: 'x', prefix: 's-0-', load: { ...load, ...said } }])

t.test('passes a generator whose word agrees with its records', async (t) => {
  t.match(judge({}), { outcome: 'pass', examined: 100 })
})

t.test('fails one that lies about a count, its lag or a latency', async (t) => {
  t.match(judge({ completed: 99, failed: 1 }), {
    outcome: 'fail',
    examples: ['x: says 99 completed, its records have 100', 'x: says 1 failed, its records have 0'],
  })
  const late = records.map((record) =>
    record.kind === 'run.offered' && record.request === 's-0-7' ? { ...record, at: record.at + 900 } : record,
  ) as History
  t.match(judge({}, late), { examples: [/says its lag was 0\.05 ms at most, its records have 0\.95 ms/] })
  t.match(judge({ latency: { ...load.latency, p99Ms: 1 } }), { examples: [/says its p99 is 1 ms/] })
})

t.test('fails one that plans an arrival when it sends it', async (t) => {
  const omitted = records.map((record) =>
    record.kind === 'run.offered' ? { ...record, planned: record.at } : record,
  )
  t.match(judge({}, omitted), {
    examples: [/100 arrivals are not planned at their place/],
  })
})

t.test('does not take the records of another load for its own', async (t) => {
  t.equal(loadTrue(records, [{ name: 'x', prefix: 's-1-', load }]).outcome, 'fail')
})

t.test('cannot tell without a load', async (t) => {
  t.equal(loadTrue(records, []).outcome, 'unknown')
})
