// Reasons not to trust the latencies of loads: the generator, not the system, may have made them.

import type { LoadResult } from '../../contracts/load.ts'

/** Above this the p99 of the generator's lag is no longer small against the latencies that are judged, ms. */
const mostLagP99Ms = 20
/** A thread busier than this queues its own events. */
const mostUtilization = 0.8
/**
 * Samples without which a percentile says nothing with 99 % confidence: with n of them the largest is above the
 * p-th percentile with a chance of 1 - p^n, so 459 for p99, 90 for p95, 7 for p50.
 */
const leastSamples = { p50: 7, p95: 90, p99: 459 } as const

/** Loads that lagged may have made up to this share of the samples. */
const mostLaggedShare = 0.2

/**
 * One line for each doubt in the latencies of several loads together; none: they are the system's. `percentile` is
 * the highest that is judged, default p95. A single latency within its target holds in spite of a lag, which only
 * adds to it; a difference of two does not.
 */
export function latencyDoubts(
  loads: readonly LoadResult[],
  percentile: keyof typeof leastSamples = 'p95',
): readonly string[] {
  const samples = sum(loads, ({ latency }) => latency.count)
  const dropped = sum(loads, (load) => load.dropped)
  const lagged = loads.filter(({ lag }) => lag.p99Ms > mostLagP99Ms)
  const laggedSamples = sum(lagged, ({ latency }) => latency.count)
  const utilization = loads.reduce((most, load) => Math.max(most, load.generatorUtilization), 0)
  const least = leastSamples[percentile]
  return [
    ...(dropped > 0 ? [`${dropped} arrivals were dropped, for too many were open`] : []),
    ...(laggedSamples > mostLaggedShare * samples
      ? [
          `${laggedSamples} of ${samples} samples are of loads whose generator was over ${mostLagP99Ms} ms late`,
        ]
      : []),
    ...(utilization > mostUtilization
      ? [`the generator was busy ${(utilization * 100).toFixed(0)} % of the time`]
      : []),
    ...(samples < least ? [`${samples} samples, ${percentile} needs ${least}`] : []),
  ]
}

function sum(loads: readonly LoadResult[], value: (load: LoadResult) => number): number {
  return loads.reduce((total, load) => total + value(load), 0)
}
