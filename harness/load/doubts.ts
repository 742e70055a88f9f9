// Reasons not to trust a load's latencies: the generator, not the system, may have made them.

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

/**
 * One line for each doubt; none: the latencies are the system's. `percentile` is the highest that is judged,
 * default p95. Of a doubtful load a latency within its target still holds, for lag only adds to it; a difference of
 * two loads does not.
 */
export function latencyDoubts(
  load: LoadResult,
  percentile: keyof typeof leastSamples = 'p95',
): readonly string[] {
  const { lag, generatorUtilization, dropped, latency } = load
  const least = leastSamples[percentile]
  return [
    ...(dropped > 0 ? [`${dropped} arrivals were dropped, for too many were open`] : []),
    ...(lag.p99Ms > mostLagP99Ms
      ? [`the generator was ${lag.p99Ms.toFixed(1)} ms late at p99, at most ${mostLagP99Ms} is sound`]
      : []),
    ...(generatorUtilization > mostUtilization
      ? [`the generator was busy ${(generatorUtilization * 100).toFixed(0)} % of the time`]
      : []),
    ...(latency.count < least ? [`${latency.count} samples, ${percentile} needs ${least}`] : []),
  ]
}
