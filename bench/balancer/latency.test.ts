// What is made of latencies.

import t from 'tap'
import { difference, percentileMs } from './latency.ts'

const slice = (from: number) => Array.from({ length: 100 }, (_, index) => from + index)

t.test('reads a percentile from all slices together', async (t) => {
  t.equal(percentileMs([slice(101), slice(1)], 99), 0.198)
  t.equal(percentileMs([slice(1)], 50), 0.05)
})

t.test('compares cycle by cycle, and one stall does not decide', async (t) => {
  const theirs = Array.from({ length: 21 }, (_, cycle) => slice(cycle * 1_000))
  const ours = theirs.map((one, cycle) => (cycle === 3 ? slice(900_000) : one.map((us) => us + 50)))
  const { ms, lowMs, highMs } = difference(ours, theirs)
  t.same(
    [ms, lowMs, highMs].map((one) => one.toFixed(3)),
    ['0.050', '0.050', '0.050'],
  )
})
