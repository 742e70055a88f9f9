// Loads of one name as one: counts added, histograms merged, never percentiles averaged.

import { build, decodeFromCompressedBase64 } from 'hdr-histogram-js'
import type { LatencySummary, LoadResult } from '../../contracts/load.ts'
import type { NamedLoad } from '../../contracts/results.ts'

export interface LoadGroup {
  readonly name: string
  readonly loads: readonly LoadResult[]
  readonly offered: number
  readonly completed: number
  readonly failed: number
  readonly refused: number
  readonly unknown: number
  readonly dropped: number
  readonly incorrect: number
  /** Null: a closed model, which plans no arrivals. */
  readonly planned: number | null
  readonly latency: Pick<LatencySummary, 'count' | 'p50Ms' | 'p90Ms' | 'p95Ms' | 'p99Ms' | 'maxMs'>
}

/** In the order in which each name comes first. */
export function loadGroups(loads: readonly NamedLoad[]): readonly LoadGroup[] {
  return [...new Set(loads.map(({ name }) => name))].map((name) => {
    const group = loads.filter((one) => one.name === name).map(({ load }) => load)
    const sum = (
      key: 'offered' | 'completed' | 'failed' | 'refused' | 'unknown' | 'dropped' | 'incorrect',
    ): number => group.reduce((total, load) => total + load[key], 0)
    return {
      name,
      loads: group,
      offered: sum('offered'),
      completed: sum('completed'),
      failed: sum('failed'),
      refused: sum('refused'),
      unknown: sum('unknown'),
      dropped: sum('dropped'),
      incorrect: sum('incorrect'),
      planned: group.reduce<number | null>(
        (total, load) => (total === null || load.planned === null ? null : total + load.planned),
        0,
      ),
      latency: mergedLatency(group),
    }
  })
}

/**
 * The group with the most answers, for a table with room for one: percentiles of different loads do not add
 * up.
 */
export function largestGroup(groups: readonly LoadGroup[]): LoadGroup | undefined {
  return groups.reduce<LoadGroup | undefined>(
    (best, group) => (best === undefined || group.latency.count > best.latency.count ? group : best),
    undefined,
  )
}

function mergedLatency(loads: readonly LoadResult[]): LoadGroup['latency'] {
  const [only] = loads
  if (loads.length === 1 && only !== undefined) return only.latency
  const none = { count: 0, p50Ms: null, p90Ms: null, p95Ms: null, p99Ms: null, maxMs: null }
  const merged = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  })
  for (const load of loads) {
    if (load.latency.count === 0) continue
    try {
      merged.add(decodeFromCompressedBase64(load.histogram))
    } catch {
      // An unreadable histogram shows as no latency here, and by name in `verify`.
      return none
    }
  }
  if (merged.totalCount === 0) return none
  const at = (percentile: number): number => merged.getValueAtPercentile(percentile) / 1_000
  return {
    count: merged.totalCount,
    p50Ms: at(50),
    p90Ms: at(90),
    p95Ms: at(95),
    p99Ms: at(99),
    maxMs: merged.maxValue / 1_000,
  }
}
