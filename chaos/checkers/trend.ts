// The slope of a noisy series with its confidence bounds: Theil and Sen's estimator, which single outliers do not move,
// with Kendall's bounds (Sen 1968). No assumption about the noise but that its parts are independent.

export interface Point {
  /** s. */
  readonly at: number
  readonly value: number
}

export interface Trend {
  /** Per second: the median of the slopes between all pairs of points. */
  readonly slope: number
  /** 99 % bounds of the slope. */
  readonly lower: number
  readonly upper: number
  readonly median: number
  /** From the first point to the last, s. */
  readonly length: number
}

/** With fewer points the bounds are those of nothing. */
export const leastPoints = 8

/** More points are thinned to this many: pairs grow with the square. */
const mostPoints = 400

/** Two-sided 99 %. */
const z = 2.576

/** The trend of points in order of time; null of fewer than 8, or of no time between them. */
export function trendOf(points: readonly Point[]): Trend | null {
  const step = Math.max(1, Math.ceil(points.length / mostPoints))
  const used = points.filter((_, index) => index % step === 0)
  const [first, last] = [used[0], used.at(-1)]
  if (used.length < leastPoints || first === undefined || last === undefined || last.at <= first.at)
    return null
  const slopes: number[] = []
  for (let i = 0; i < used.length; i++) {
    for (let j = i + 1; j < used.length; j++) {
      const [a, b] = [used[i]!, used[j]!]
      if (b.at > a.at) slopes.push((b.value - a.value) / (b.at - a.at))
    }
  }
  slopes.sort((a, b) => a - b)
  const n = used.length
  const reach = (z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)) / 2
  const middle = slopes.length / 2
  return {
    slope: medianOf(slopes),
    lower: slopes[Math.max(0, Math.floor(middle - reach))]!,
    upper: slopes[Math.min(slopes.length - 1, Math.ceil(middle + reach))]!,
    median: medianOf(used.map(({ value }) => value).sort((a, b) => a - b)),
    length: last.at - first.at,
  }
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
