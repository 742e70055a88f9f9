// Metrics of a component server. Calls are counted in plain numbers and turned into metrics when scraped:
// prom-client's own counters hash their labels on each call, which costs more than `double` itself.

import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import type { CallbackMethod } from './callbacks.ts'

export type Outcome = 'success' | 'failed' | 'aborted' | 'refused'

/** Counts of one component. */
export interface CallCounts {
  /** `problem`: why it was no success. */
  ended(outcome: Outcome, ms: number, problem?: string): void
}

export interface Metrics {
  readonly registry: Registry
  /** The counts of a component by its path; `unknown` for a path the server does not have. */
  of(path: string): CallCounts
  replied(method: CallbackMethod, outcome: 'result' | 'error', ms: number): void
}

export interface MetricsOptions {
  readonly streamsOpen: () => number
  readonly callbacksUnanswered: () => number
  readonly callsOpen: () => number
}

const prefix = 'stepflow_component_server'

/** Upper bounds in seconds: from a direct call in the process to a step of minutes. */
const bounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]

const outcomes: readonly Outcome[] = ['success', 'failed', 'aborted', 'refused']

/** Event-loop lag and the rest of the process come from prom-client's default metrics. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const byPath = new Map<string, Counts>()

  new Counter({
    name: `${prefix}_calls_total`,
    help: 'components/execute calls that have ended, by component and outcome',
    labelNames: ['component', 'outcome'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [component, counts] of byPath) {
        for (const [index, outcome] of outcomes.entries()) {
          this.inc({ component, outcome }, counts.byOutcome[index])
        }
      }
    },
  })
  const durations = histogram(
    'call_duration_seconds',
    'Time from the whole request to the whole answer',
    () => [...byPath].map(([component, { times }]) => ({ labels: { component }, times })),
  )
  registry.registerMetric(durations as unknown as Metric)
  gauge(registry, 'calls_open', 'Calls that are not answered yet', options.callsOpen)
  gauge(registry, 'streams_open', 'Event streams that are open', options.streamsOpen)
  gauge(registry, 'callbacks_unanswered', 'Callbacks that wait for their reply', options.callbacksUnanswered)
  const byReply = new Map<string, { readonly labels: Labels; readonly times: Times }>()
  const roundTrips = histogram(
    'callback_duration_seconds',
    'Round trip of a callback, from its write to its reply',
    () => byReply.values(),
  )
  registry.registerMetric(roundTrips as unknown as Metric)

  return {
    registry,
    of(path) {
      const counts = byPath.get(path) ?? new Counts()
      byPath.set(path, counts)
      return counts
    },
    replied(method, outcome, ms) {
      const key = method + outcome
      let series = byReply.get(key)
      if (series === undefined) {
        series = { labels: { method, outcome }, times: new Times() }
        byReply.set(key, series)
      }
      series.times.add(ms)
    },
  }
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name: `${prefix}_${name}`,
    help,
    registers: [registry],
    collect() {
      this.set(read())
    },
  })
}

/** How long things took, by the upper bounds. */
class Times {
  readonly byBucket = new Array<number>(bounds.length + 1).fill(0)
  seconds = 0

  add(ms: number): void {
    const seconds = ms / 1000
    this.seconds += seconds
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++
    this.byBucket[bucket] = (this.byBucket[bucket] ?? 0) + 1
  }
}

class Counts implements CallCounts {
  readonly byOutcome = [0, 0, 0, 0]
  readonly times = new Times()

  ended(outcome: Outcome, ms: number): void {
    const index = outcomes.indexOf(outcome)
    this.byOutcome[index] = (this.byOutcome[index] ?? 0) + 1
    this.times.add(ms)
  }
}

type Labels = Readonly<Record<string, string>>

interface Value {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** A histogram in the form that prom-client's registry prints. */
function histogram(
  shortName: string,
  help: string,
  read: () => Iterable<{ readonly labels: Labels; readonly times: Times }>,
) {
  const name = `${prefix}_${shortName}`
  const get = () => {
    const values: Value[] = []
    for (const { labels, times } of read()) {
      let total = 0
      for (const [index, count] of times.byBucket.entries()) {
        total += count
        values.push({
          metricName: `${name}_bucket`,
          labels: { ...labels, le: bounds[index] ?? '+Inf' },
          value: total,
        })
      }
      values.push({ metricName: `${name}_sum`, labels, value: times.seconds })
      values.push({ metricName: `${name}_count`, labels, value: total })
    }
    return { name, help, type: 'histogram', values }
  }
  return { name, type: 'histogram', get: async () => get(), reset() {} }
}
