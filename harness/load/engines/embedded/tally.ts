// Counts what came of a load: histograms of latency and lag, a row for each second, errors. No clock, no I/O.

import type { LoadResult } from '../../../../contracts/load.ts'
import { encodeHistogram, highestUs, newHistogram, percentileMs, summarize } from '../../histogram.ts'
import type { Answer } from './answers.ts'

/** How an arrival ended; `timed out` is an unknown outcome whose waiting time is a latency. */
export interface Ending {
  readonly outcome: Answer['outcome']
  readonly timedOut: boolean
  readonly correct: boolean | undefined
  readonly error: string | undefined
}

/** One second while it is counted. */
interface OpenSecond {
  planned: number
  offered: number
  completed: number
  failed: number
  open: number
  lagUs: number
  p50Ms: number | null
  p99Ms: number | null
  unsettled: number
  /** Latencies, µs; dropped when the second is complete. */
  samples: number[]
}

/** The counted part of a LoadResult. */
export type Counted = Pick<
  LoadResult,
  | 'offered'
  | 'completed'
  | 'failed'
  | 'refused'
  | 'unknown'
  | 'dropped'
  | 'incorrect'
  | 'latency'
  | 'histogram'
  | 'lag'
  | 'seconds'
  | 'errors'
>

/** Different error texts that are kept; the rest is counted together. */
const keptErrors = 19
/** Samples of a second are kept this long after it, s: a generator later than that is not believed anyway. */
const keptSeconds = 10

export class Tally {
  offered = 0
  dropped = 0
  readonly ended = { completed: 0, failed: 0, refused: 0, unknown: 0 }
  incorrect = 0
  readonly #startUs: number
  readonly #latency = newHistogram()
  readonly #lag = newHistogram()
  readonly #seconds: OpenSecond[] = []
  readonly #errors = new Map<string, number>()
  #otherErrors = 0
  /** Seconds before this index are over. */
  #ended = 0
  /** Seconds before this index hold percentiles instead of samples. */
  #summedUp = 0

  /** `startUs`: where the first second begins. */
  constructor(startUs: number) {
    this.#startUs = startUs
  }

  get open(): number {
    return this.offered - this.answered
  }

  get answered(): number {
    return this.ended.completed + this.ended.failed + this.ended.refused + this.ended.unknown
  }

  /** An arrival was sent. */
  sent(plannedUs: number, sentUs: number): void {
    const second = this.#second(plannedUs)
    this.offered++
    second.planned++
    second.offered++
    second.unsettled++
    this.lagged(sentUs, sentUs - plannedUs)
  }

  /** An arrival was not sent, for too many were open. */
  drop(plannedUs: number): void {
    this.dropped++
    this.#second(plannedUs).planned++
  }

  /** The generator was `lagUs` late at `atUs`; that spoils each second in which it should have been at work. */
  lagged(atUs: number, lagUs: number): void {
    this.#lag.recordValue(clamp(lagUs))
    this.#second(atUs)
    for (let i = this.#index(atUs - lagUs); i <= this.#index(atUs); i++) {
      const second = this.#seconds[i]!
      if (lagUs > second.lagUs) second.lagUs = lagUs
    }
  }

  /** The arrival planned at `plannedUs` ended at `endUs`. */
  end(plannedUs: number, endUs: number, ending: Ending): void {
    const second = this.#second(plannedUs)
    second.unsettled--
    this.ended[ending.outcome]++
    if (ending.outcome === 'completed') second.completed++
    else second.failed++
    if (ending.correct === false) this.incorrect++
    if (ending.outcome === 'completed' || ending.timedOut) {
      const latencyUs = clamp(endUs - plannedUs)
      this.#latency.recordValue(latencyUs)
      second.samples.push(latencyUs)
    }
    if (ending.error !== undefined) this.#countError(ending.error)
  }

  /** Called several times a second: notes how many are open when a second ends, and sums up old seconds. */
  tick(nowUs: number): void {
    const current = this.#index(nowUs)
    this.#second(nowUs)
    for (; this.#ended < current; this.#ended++) this.#seconds[this.#ended]!.open = this.open
    for (; this.#summedUp < current - keptSeconds; this.#summedUp++) {
      const second = this.#seconds[this.#summedUp]!
      if (second.unsettled > 0) break
      sumUp(second)
    }
  }

  /** Everything counted. `endUs` ends the last second. */
  result(endUs: number): Counted {
    const last = Math.max(0, Math.ceil((endUs - this.#startUs) / 1e6) - 1)
    this.tick(endUs)
    this.#seconds.length = Math.max(last + 1, this.#summedUp)
    for (const second of this.#seconds.slice(this.#summedUp)) sumUp(second)
    return {
      offered: this.offered,
      ...this.ended,
      dropped: this.dropped,
      incorrect: this.incorrect,
      latency: summarize(this.#latency),
      histogram: encodeHistogram(this.#latency),
      lag: {
        p50Ms: percentileMs(this.#lag, 50) ?? 0,
        p99Ms: percentileMs(this.#lag, 99) ?? 0,
        maxMs: this.#lag.totalCount === 0 ? 0 : this.#lag.maxValue / 1000,
      },
      seconds: this.#seconds.map(({ planned, offered, completed, failed, open, p50Ms, p99Ms, lagUs }, i) => ({
        ...{ second: i, planned, offered, completed, failed, open, p50Ms, p99Ms },
        lagMs: lagUs / 1000,
      })),
      errors: [
        ...[...this.#errors].map(([text, count]) => ({ text, count })).sort((a, b) => b.count - a.count),
        ...(this.#otherErrors === 0 ? [] : [{ text: 'other errors', count: this.#otherErrors }]),
      ],
    }
  }

  #index(atUs: number): number {
    return Math.max(0, Math.floor((atUs - this.#startUs) / 1e6))
  }

  #second(atUs: number): OpenSecond {
    const index = this.#index(atUs)
    while (this.#seconds.length <= index) this.#seconds.push(newSecond())
    return this.#seconds[index]!
  }

  #countError(text: string): void {
    const count = this.#errors.get(text)
    if (count !== undefined) this.#errors.set(text, count + 1)
    else if (this.#errors.size < keptErrors) this.#errors.set(text, 1)
    else this.#otherErrors++
  }
}

function newSecond(): OpenSecond {
  return {
    ...{ planned: 0, offered: 0, completed: 0, failed: 0, open: 0, lagUs: 0 },
    ...{ p50Ms: null, p99Ms: null, unsettled: 0, samples: [] },
  }
}

/** Replaces a second's samples by their percentiles. */
function sumUp(second: OpenSecond): void {
  const sorted = Float64Array.from(second.samples).sort()
  second.samples = []
  if (sorted.length === 0) return
  second.p50Ms = nearestRank(sorted, 0.5) / 1000
  second.p99Ms = nearestRank(sorted, 0.99) / 1000
}

function nearestRank(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}

function clamp(us: number): number {
  return Math.min(highestUs, Math.max(1, Math.round(us)))
}
