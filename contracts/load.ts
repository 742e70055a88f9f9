// Load: what is offered (workload), when (profile), by what (engine), and what came of it.

/** One kind of run to offer. `inputs[i % length]` is the i-th arrival's input. */
export interface Workload {
  readonly name: string
  /** The flow document, as POST /api/v1/flows takes it. */
  readonly flow: unknown
  readonly inputs: readonly unknown[]
  /** Expected result of `inputs[i]`, compared by value; absent: only the outcome is looked at. */
  readonly expected?: readonly unknown[]
}

/**
 * When arrivals are planned. `constant`: open model, an arrival each 1/rateRps s whatever the system does.
 * `concurrent`: closed model, `users` runs always open; they start
 * spread over the first tenth of the duration, at most 1 s. `burst`: `count` runs, at most `concurrency` open.
 */
export type Profile =
  | { readonly kind: 'constant'; readonly rateRps: number; readonly durationMs: number }
  | {
      /** Rate that changes in steps; durations add up. */
      readonly kind: 'steps'
      readonly steps: readonly { readonly rateRps: number; readonly durationMs: number }[]
    }
  | { readonly kind: 'concurrent'; readonly users: number; readonly durationMs: number }
  | { readonly kind: 'burst'; readonly count: number; readonly concurrency: number }

/**
 * What the load is sent to. `runs`: POST /api/v1/runs of a runtime; `call`: components/execute as one
 * JSON-RPC POST to a pod or balancer, direct JSON answers only.
 */
export type LoadTarget =
  | { readonly kind: 'runs'; readonly url: string }
  | { readonly kind: 'call'; readonly url: string; readonly component: string }

export interface LoadOptions {
  readonly target: LoadTarget
  readonly workload: Workload
  readonly profile: Profile
  /** One answer later than this counts as unknown. Default 30,000. */
  readonly timeoutMs?: number
  /** Arrivals beyond this many open ones are dropped and counted. Default 2,000. */
  readonly maxOpen?: number
  /** Interrupts: what is open ends as unknown. */
  readonly signal?: AbortSignal
  /** Ends the arrivals early, as if the profile were over; what is open is still awaited. */
  readonly stop?: AbortSignal
  /** File that gets the client's history; default none. */
  readonly historyFile?: string
  /** Prefix of request ids, unique in the trial. */
  readonly requestPrefix?: string
  /** Called about four times a second. */
  readonly onProgress?: (progress: LoadProgress) => void
}

export interface LoadProgress {
  readonly offered: number
  readonly answered: number
  readonly failed: number
  readonly open: number
}

/**
 * Percentiles in ms, from a histogram of the planned start to the last byte. Null: no sample. Samples are
 * completed runs, and those given up at the time-out with the time they took until then.
 */
export interface LatencySummary {
  readonly count: number
  readonly minMs: number | null
  readonly meanMs: number | null
  readonly p50Ms: number | null
  readonly p90Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
}

/**
 * One second of a load; `second` counts from the load's start. Counts are by planned start. `failed` counts
 * whatever was offered and not completed: failed, refused or unknown. `open` is taken at the second's end.
 */
export interface LoadSecond {
  readonly second: number
  readonly planned: number
  readonly offered: number
  readonly completed: number
  readonly failed: number
  readonly open: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /**
   * Largest delay of the generator, actual minus planned send, of the arrivals planned or sent in this second, or
   * planned before it and sent after.
   */
  readonly lagMs: number
}

export interface LoadResult {
  readonly engine: 'embedded' | 'k6' | 'autocannon'
  readonly workload: string
  readonly profile: Profile
  /** µs of CLOCK_MONOTONIC. */
  readonly startedAt: number
  readonly endedAt: number
  /** Arrivals planned by the profile; null in the closed model. */
  readonly planned: number | null
  readonly offered: number
  readonly completed: number
  readonly failed: number
  readonly refused: number
  /** No answer within the time-out, or the connection broke: may or may not have run. */
  readonly unknown: number
  /** Never sent because `maxOpen` was reached. */
  readonly dropped: number
  /** Completed with a wrong value. */
  readonly incorrect: number
  /**
   * Planned arrivals per second (null in the closed model), and completed runs per second, both over the
   * profile's duration; without one (`burst`), or when interrupted, over the time it took.
   */
  readonly offeredRps: number | null
  readonly achievedRps: number
  readonly latency: LatencySummary
  /** Base64 of the compressed HDR histogram (µs, 1 to 3.6e9, 3 digits) behind `latency`; mergeable. */
  readonly histogram: string
  /** Actual minus planned send. */
  readonly lag: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number }
  /** Share of the time the generator's thread was busy, 0 to 1. */
  readonly generatorUtilization: number
  readonly seconds: readonly LoadSecond[]
  /** At most 20 different error texts with their counts. */
  readonly errors: readonly { readonly text: string; readonly count: number }[]
}

/** What offers load: scenarios are handed one. */
export interface LoadEngine extends AsyncDisposable {
  readonly kind: LoadResult['engine']
  run(options: LoadOptions): Promise<LoadResult>
}
