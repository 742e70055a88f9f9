// The latency histogram of load results: made, summed up, written as text, merged.

import * as hdr from 'hdr-histogram-js'
import type { LatencySummary, LoadResult } from '../../contracts/load.ts'

/** An hour, in µs: what is longer is recorded as this. */
export const highestUs = 3_600_000_000

/** µs from 1 to an hour, exact to three digits. */
export function newHistogram(): hdr.Histogram {
  return hdr.build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestUs,
    numberOfSignificantValueDigits: 3,
  })
}

export function encodeHistogram(histogram: hdr.Histogram): string {
  return hdr.encodeIntoCompressedBase64(histogram)
}

/** Percentiles of several loads together; those of each cannot be averaged. */
export function mergeHistograms(loads: readonly Pick<LoadResult, 'histogram'>[]): LatencySummary {
  const merged = newHistogram()
  for (const { histogram } of loads) merged.add(hdr.decodeFromCompressedBase64(histogram))
  return summarize(merged)
}

export function summarize(histogram: hdr.Histogram): LatencySummary {
  const some = histogram.totalCount > 0
  return {
    count: histogram.totalCount,
    minMs: some ? histogram.minNonZeroValue / 1000 : null,
    meanMs: some ? histogram.mean / 1000 : null,
    p50Ms: percentileMs(histogram, 50),
    p90Ms: percentileMs(histogram, 90),
    p95Ms: percentileMs(histogram, 95),
    p99Ms: percentileMs(histogram, 99),
    maxMs: some ? histogram.maxValue / 1000 : null,
  }
}

/** Null of an empty histogram. */
export function percentileMs(histogram: hdr.Histogram, percentile: number): number | null {
  return histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(percentile) / 1000
}
