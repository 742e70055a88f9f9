// results.json: everything a trial measured and judged. Schema version 1; docs/reference/results.md explains it.

import type { Verdict } from './exit-codes.ts'
import type { ChaosEvent, PodState, WindowStarted } from './history.ts'
import type { LoadResult } from './load.ts'

export const resultsSchemaVersion = 1

/** How a checker or threshold came out; `unknown` makes the trial INVALID. */
export type Outcome = 'pass' | 'fail' | 'unknown'

/** What a checker found in the history. */
export interface CheckerResult {
  readonly kind: 'checker'
  /** e.g. `affinity`. */
  readonly name: string
  /** What must hold, in one sentence. */
  readonly claim: string
  readonly outcome: Outcome
  /** One sentence with the figures that decided. */
  readonly reason: string
  /** How many operations it looked at: 0 can never be a pass. */
  readonly examined: number
  /** At most 20 counterexamples, each one line. */
  readonly examples?: readonly string[]
}

/** A measured figure against its target. */
export interface ThresholdResult {
  readonly kind: 'threshold'
  /** Name of the target in scenarios/targets.ts. */
  readonly name: string
  readonly claim: string
  readonly outcome: Outcome | 'not measured'
  readonly reason: string
  readonly statistic: string
  readonly unit: string
  readonly comparison: 'at most' | 'at least'
  readonly target: number
  readonly measured: number | null
  readonly samples?: number
  /** Stretch of the trial it was taken over. */
  readonly window?: string
  /** Scenario or benchmark that measures it. */
  readonly measuredBy?: string
  /** What a missed target means; absent: FAIL. */
  readonly ifMissed?: 'FAIL' | 'INVALID'
  /** Of a target not measured here: what its benchmark measured before this suite. Shown, not judged. */
  readonly earlier?: EarlierFigure
}

/** A figure that a benchmark measured by itself. */
export interface EarlierFigure {
  readonly measured: number
  /** RFC 3339. */
  readonly at: string
  /** Short hash of the commit that was measured; null: not known. */
  readonly commit: string | null
}

export type Judgement = CheckerResult | ThresholdResult

/** A figure shown in the report but not judged. */
export interface Figure {
  readonly name: string
  readonly value: number | string | null
  readonly unit?: string
  readonly note?: string
}

/** A named load of a scenario with its result. */
export interface NamedLoad {
  readonly name: string
  readonly load: LoadResult
}

/** What one pod did in a scenario, from its own records. */
export interface PodActivity {
  readonly pod: string
  readonly role: 'runtime' | 'balancer' | 'component-server'
  readonly instanceId?: string
  /** Calls received in each second since the scenario's start. */
  readonly callsPerSecond: readonly number[]
  readonly calls: number
  /** µs of CLOCK_MONOTONIC; `until` null: ready at the end. */
  readonly readyFrom: number | null
  readonly readyUntil: number | null
}

/** Callbacks by the pod that opened the stream (rows) and the pod that got the reply (columns). */
export interface AffinityMatrix {
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  /** `counts[row][column]`; off the diagonal is a violation. */
  readonly counts: readonly (readonly number[])[]
  /** Callbacks whose reply came through another balancer than the stream; null where not recorded. */
  readonly crossed: number | null
}

/** A figure over time, one value a second, drawn on the scenario's time axis. Null: not known in that second. */
export interface NamedSeries {
  /** e.g. `runs in flight, by the runtime's own count`. */
  readonly name: string
  readonly unit: string
  /** µs of CLOCK_MONOTONIC at which the first second starts. */
  readonly startedAt: number
  readonly values: readonly (number | null)[]
  /** A line drawn across, e.g. the target. */
  readonly target?: number
}

export interface ScenarioResult {
  readonly scenario: string
  readonly summary: string
  readonly verdict: Verdict
  /** µs of CLOCK_MONOTONIC. */
  readonly startedAt: number
  readonly endedAt: number
  readonly seed: number
  readonly judgements: readonly Judgement[]
  readonly figures: readonly Figure[]
  readonly loads: readonly NamedLoad[]
  readonly events: readonly (ChaosEvent | PodState | WindowStarted)[]
  readonly pods: readonly PodActivity[]
  readonly affinity?: AffinityMatrix
  readonly series?: readonly NamedSeries[]
  /** The command that runs this again. */
  readonly replay: string
  /** Set when the scenario could not end: interrupted, or the harness broke. */
  readonly ended?: { readonly kind: 'interrupted' | 'error'; readonly message: string }
}

export interface EnvironmentInfo {
  readonly cluster: 'local' | 'kubernetes'
  readonly clusterDescription: Readonly<Record<string, string>>
  readonly platform: string
  readonly cpuModel: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly node: string
  readonly commit: string | null
  readonly engine: LoadResult['engine']
  /** Optional tools: found, or the line that says how to get them. */
  readonly tools: Readonly<Record<string, string>>
}

export interface Results {
  readonly schemaVersion: typeof resultsSchemaVersion
  readonly suite: string
  readonly verdict: Verdict
  /** RFC 3339. */
  readonly startedAt: string
  readonly durationMs: number
  /** Wall-clock ms of CLOCK_MONOTONIC zero: `wallMs = originMs + at / 1000`. */
  readonly clockOriginMs: number
  readonly seed: number
  readonly command: string
  readonly environment: EnvironmentInfo
  readonly scenarios: readonly ScenarioResult[]
  /** Judgements on the suite as a whole, e.g. its duration. */
  readonly judgements?: readonly Judgement[]
  /** Thresholds of the targets file that no scenario of this suite measured. */
  readonly notMeasured: readonly ThresholdResult[]
}
