// What a profile becomes for the generator: planned times (open model) or a limit of open runs (closed).

/** Arrivals at planned times, whatever the system does. */
export interface OpenPace {
  readonly model: 'open'
  /** Arrivals in all. */
  readonly planned: number
  readonly durationUs: number
  /** Offset of the next arrival from the start, µs, each call one further; null: no more. */
  next(): number | null
}

/** The next run starts when one has ended, until `count` were sent or `durationUs` has passed. */
export interface ClosedPace {
  readonly model: 'closed'
  /** Runs open at once. */
  readonly limit: number
  /** Infinity where only time ends it. */
  readonly count: number
  /** Infinity where only `count` ends it. */
  readonly durationUs: number
  /** The limit is reached evenly over this time from the start. */
  readonly rampUs: number
}

export type Pace = OpenPace | ClosedPace

/** One problem with a profile: the field within it, the value, and what to write. */
export interface ProfileProblem {
  readonly field: string
  readonly value: unknown
  readonly fix: string
}

/** One load shape. */
export interface Shape<P> {
  problems(profile: P): readonly ProfileProblem[]
  pace(profile: P): Pace
}

/** A problem unless `value` is a finite number in the range. */
export function numberProblem(
  field: string,
  value: unknown,
  range: { readonly least: number; readonly most: number; readonly whole?: boolean },
): readonly ProfileProblem[] {
  const ok =
    typeof value === 'number' &&
    value >= range.least &&
    value <= range.most &&
    (range.whole !== true || Number.isInteger(value))
  if (ok) return []
  const kind = range.whole === true ? 'a whole number' : 'a number'
  return [{ field, value, fix: `use ${kind} from ${range.least} to ${range.most}` }]
}

/** Above this the generator's one thread is surely the bottleneck. */
export const highestRateRps = 50_000
/** 30 days: a soak's longest stretch. */
export const longestDurationMs = 30 * 24 * 3600 * 1000
