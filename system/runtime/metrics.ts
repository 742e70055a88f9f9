// The runtime's metrics. Labels are bounded: outcomes and methods of the protocol, never ids or names of users.

import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'

/** A counter with one label whose values are few. */
export interface OutcomeCounter {
  inc(outcome?: string): void
}

export interface RuntimeMetrics {
  readonly registry: Registry
  readonly runsInFlight: { set(value: number): void }
  readonly runsWaiting: { set(value: number): void }
  readonly runs: OutcomeCounter
  readonly runSeconds: { observe(seconds: number): void }
  readonly steps: OutcomeCounter
  readonly retries: OutcomeCounter
  readonly calls: OutcomeCounter
  readonly callbacks: OutcomeCounter
  readonly callbackSeconds: { observe(seconds: number): void }
}

export function createMetrics(): RuntimeMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  // Values are kept here and handed over when scraped: prom-client hashes labels at every change.
  const gauge = (name: string, help: string): { set(value: number): void } => {
    let value = 0
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(value)
      },
    })
    return {
      set(now) {
        value = now
      },
    }
  }
  const counter = (name: string, help: string): OutcomeCounter => {
    const counts = new Map<string, number>()
    new Counter({
      ...{ name, help, labelNames: ['outcome'], registers },
      collect() {
        this.reset()
        for (const [outcome, count] of counts) this.inc({ outcome }, count)
      },
    })
    return { inc: (outcome = 'all') => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1) }
  }
  const histogram = (name: string, help: string, bounds: readonly number[]) => {
    const counts = new Array<number>(bounds.length).fill(0)
    let sum = 0
    let count = 0
    const metric = {
      ...{ name, help, type: 'histogram', aggregator: 'sum', labelNames: [] },
      get: async () => {
        let upTo = 0
        const buckets = bounds.map((le, index) => {
          upTo += counts[index] ?? 0
          return { metricName: `${name}_bucket`, labels: { le }, value: upTo }
        })
        const rest = [
          { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
          { metricName: `${name}_sum`, labels: {}, value: sum },
          { metricName: `${name}_count`, labels: {}, value: count },
        ]
        return { name, help, type: 'histogram', aggregator: 'sum', values: [...buckets, ...rest] }
      },
      reset() {},
    }
    registry.registerMetric(metric as unknown as Metric)
    return {
      observe(seconds: number): void {
        count++
        sum += seconds
        let index = 0
        while (index < bounds.length && seconds > (bounds[index] as number)) index++
        if (index < bounds.length) counts[index] = (counts[index] as number) + 1
      },
    }
  }
  return {
    registry,
    runsInFlight: gauge('stepflow_runtime_runs_in_flight', 'Runs that have been accepted and have not ended'),
    runsWaiting: gauge('stepflow_runtime_runs_waiting', 'Runs in flight that wait for their turn'),
    runs: counter('stepflow_runtime_runs_total', 'Runs that ended, by status'),
    runSeconds: histogram(
      'stepflow_runtime_run_duration_seconds',
      'Time from the acceptance of a run to its end',
      [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300],
    ),
    steps: counter('stepflow_runtime_steps_total', 'Step results, by outcome'),
    retries: counter(
      'stepflow_runtime_step_retries_total',
      'Attempts after the first of steps with onError retry',
    ),
    calls: counter('stepflow_runtime_calls_total', 'Calls of component servers, by outcome'),
    callbacks: counter('stepflow_runtime_callbacks_total', 'Callbacks of components, by outcome'),
    callbackSeconds: histogram(
      'stepflow_runtime_callback_duration_seconds',
      'Time from the arrival of a callback to the acknowledgement of its reply',
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    ),
  }
}
