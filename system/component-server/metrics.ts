// Metrics of a component server. Calls are counted in plain numbers and turned into metrics when scraped:
// prom-client's own counters hash their labels on each call, which costs more than `double` itself.

import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric, Registry } from 'prom-client'
import type { CallbackMethod } from './callbacks.ts'

export type Outcome = 'success' | 'failed' | 'aborted' | 'refused'

/** Counts of one component. */
export interface CallCounts {
  ended(outcome: Outcome, ms: number): void
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
  registry.registerMetric(durationMetric(byPath) as unknown as Metric)
  gauge(registry, 'calls_open', 'Calls that are not answered yet', options.callsOpen)
  gauge(registry, 'streams_open', 'Event streams that are open', options.streamsOpen)
  gauge(registry, 'callbacks_unanswered', 'Callbacks that wait for their reply', options.callbacksUnanswered)
  const callbackSeconds = new Histogram({
    name: `${prefix}_callback_duration_seconds`,
    help: 'Round trip of a callback, from its write to its reply',
    labelNames: ['method', 'outcome'],
    buckets: bounds,
    registers: [registry],
  })

  return {
    registry,
    of(path) {
      const counts = byPath.get(path) ?? new Counts()
      byPath.set(path, counts)
      return counts
    },
    replied: (method, outcome, ms) => callbackSeconds.observe({ method, outcome }, ms / 1000),
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

class Counts implements CallCounts {
  readonly byOutcome = [0, 0, 0, 0]
  readonly byBucket = new Array<number>(bounds.length + 1).fill(0)
  seconds = 0

  ended(outcome: Outcome, ms: number): void {
    const index = outcomes.indexOf(outcome)
    this.byOutcome[index] = (this.byOutcome[index] ?? 0) + 1
    const seconds = ms / 1000
    this.seconds += seconds
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++
    this.byBucket[bucket] = (this.byBucket[bucket] ?? 0) + 1
  }
}

/** A histogram in the form that prom-client's registry prints. */
function durationMetric(byPath: ReadonlyMap<string, Counts>) {
  const name = `${prefix}_call_duration_seconds`
  const get = () => {
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = []
    for (const [component, counts] of byPath) {
      let total = 0
      for (const [index, count] of counts.byBucket.entries()) {
        total += count
        values.push({
          metricName: `${name}_bucket`,
          labels: { component, le: bounds[index] ?? '+Inf' },
          value: total,
        })
      }
      values.push({ metricName: `${name}_sum`, labels: { component }, value: counts.seconds })
      values.push({ metricName: `${name}_count`, labels: { component }, value: total })
    }
    return { name, help: 'Time from the whole request to the whole answer', type: 'histogram', values }
  }
  return { name, type: 'histogram', get: async () => get(), reset() {} }
}
