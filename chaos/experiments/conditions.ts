// Conditions on a load's figures: over a stretch of its seconds when it is over, and live while it runs.

import type { LoadResult, LoadSecond } from '../../contracts/load.ts'
import type { Condition } from './model.ts'

export interface Measured {
  readonly load: string
  /** Null: nothing was there to measure. */
  readonly value: number | null
  readonly holds: boolean | null
}

/** A load's figure over the whole seconds within a stretch, µs. */
export function measure(
  condition: Condition,
  loads: readonly { readonly name: string; readonly load: LoadResult }[],
  stretch: { readonly from: number; readonly until: number },
): readonly Measured[] {
  return loads
    .filter(({ name }) => condition.load === undefined || condition.load === name)
    .map(({ name, load }) => {
      const seconds = load.seconds.filter(({ second }) => {
        const from = load.startedAt + second * 1e6
        return from >= stretch.from && from + 1e6 <= stretch.until
      })
      const value = figure(condition.metric, seconds)
      return { load: name, value, holds: value === null ? null : isWithin(condition, value) }
    })
}

export function isWithin({ atLeast, atMost }: Condition, value: number): boolean {
  return value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY)
}

export function describeCondition({ metric, load, atLeast, atMost }: Condition): string {
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
  ]
  return `${metric}${load === undefined ? '' : ` of ${load}`} ${bounds.join(' and ')}`
}

function figure(metric: Condition['metric'], seconds: readonly LoadSecond[]): number | null {
  if (seconds.length === 0) return null
  const sum = (of: (second: LoadSecond) => number): number =>
    seconds.reduce((total, one) => total + of(one), 0)
  switch (metric) {
    case 'success-share': {
      const ended = sum(({ completed, failed }) => completed + failed)
      return ended === 0 ? null : sum(({ completed }) => completed) / ended
    }
    case 'completed-rps':
      return sum(({ completed }) => completed) / seconds.length
    case 'p99-ms': {
      const known = seconds.flatMap(({ p99Ms }) => p99Ms ?? [])
      return known.length === 0 ? null : Math.max(...known)
    }
    case 'open-runs':
      return Math.max(...seconds.map(({ open }) => open))
  }
}
