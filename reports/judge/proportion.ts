// A rate of trials with its exact confidence bounds (Clopper and Pearson 1934): no normal approximation, which is
// wrong for the small counts that matter here.

export interface Proportion {
  readonly count: number
  readonly trials: number
  /** Null of no trial. */
  readonly share: number | null
  readonly lower: number
  readonly upper: number
}

/**
 * The share of `count` in `trials` with two-sided bounds.
 * @param confidence default 0.95; each side has half of what is left
 * @example proportion(0, 200).upper // 0.0183
 */
export function proportion(count: number, trials: number, confidence = 0.95): Proportion {
  const tail = (1 - confidence) / 2
  return {
    count,
    trials,
    share: trials === 0 ? null : count / trials,
    lower: count === 0 ? 0 : solve((p) => 1 - binomialBelow(count, trials, p), tail),
    upper:
      trials === 0 || count === trials ? 1 : solve((p) => 1 - binomialBelow(count + 1, trials, p), 1 - tail),
  }
}

/** The `p` at which a function that grows from 0 to 1 has reached `value`. */
function solve(growing: (p: number) => number, value: number): number {
  let [low, high] = [0, 1]
  // 50 halvings: a bound to 15 digits.
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2
    if (growing(middle) < value) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The chance of fewer than `count` of `trials`, each with chance `p`. */
function binomialBelow(count: number, trials: number, p: number): number {
  if (p <= 0) return 1
  if (p >= 1) return 0
  let sum = 0
  let logChance = trials * Math.log1p(-p)
  for (let k = 0; k < count; k++) {
    sum += Math.exp(logChance)
    logChance += Math.log((trials - k) / (k + 1)) + Math.log(p) - Math.log1p(-p)
  }
  return Math.min(1, sum)
}

/** e.g. `0 of 200, at most 1.8 %`, `3 of 50 (6.0 %, 95 % bounds 1.3 % to 16.5 %)`. */
export function proportionText({ count, trials, share, lower, upper }: Proportion): string {
  if (share === null) return 'no trial'
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`
  return `${count} of ${trials} (${percent(share)}, 95 % bounds ${percent(lower)} to ${percent(upper)})`
}
