import t from 'tap'
import { encodeHistogram, mergeHistograms, newHistogram } from './histogram.ts'

function load(...latenciesUs: readonly number[]) {
  const histogram = newHistogram()
  for (const us of latenciesUs) histogram.recordValue(us)
  return { histogram: encodeHistogram(histogram) }
}

t.test('merges the samples, not the percentiles', async (t) => {
  const many = load(...Array.from({ length: 99 }, () => 1_000))
  const merged = mergeHistograms([many, load(100_000)])
  t.match(merged, { count: 100, minMs: 1, p50Ms: 1, p95Ms: 1, p99Ms: 1 })
  // Three digits: an averaged p99 would be about 50 ms, the merged maximum is 100 within 0.1 %.
  t.ok(Math.abs((merged.maxMs ?? 0) - 100) <= 0.1)
})

t.test('of nothing there is no percentile', async (t) => {
  const empty = { count: 0, minMs: null, meanMs: null, p50Ms: null, p99Ms: null, maxMs: null }
  t.match(mergeHistograms([]), empty)
  t.match(mergeHistograms([load()]), empty)
})
