// The runtime's metrics. Labels are bounded: outcomes and methods of the protocol, never ids or names of users.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

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
  const counter = (name: string, help: string): OutcomeCounter => {
    const metric = new Counter({ name, help, labelNames: ['outcome'], registers })
    // Counted here and handed over when scraped: prom-client hashes labels on every inc.
    const counts = new Map<string, number>()
    Object.assign(metric, {
      collect() {
        metric.reset()
        for (const [outcome, count] of counts) metric.inc({ outcome }, count)
      },
    })
    return { inc: (outcome = 'all') => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1) }
  }
  return {
    registry,
    runsInFlight: new Gauge({
      name: 'stepflow_runtime_runs_in_flight',
      help: 'Runs that have been accepted and have not ended',
      registers,
    }),
    runsWaiting: new Gauge({
      name: 'stepflow_runtime_runs_waiting',
      help: 'Runs in flight that wait for their turn',
      registers,
    }),
    runs: counter('stepflow_runtime_runs_total', 'Runs that ended, by status'),
    runSeconds: new Histogram({
      name: 'stepflow_runtime_run_duration_seconds',
      help: 'Time from the acceptance of a run to its end',
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300],
      registers,
    }),
    steps: counter('stepflow_runtime_steps_total', 'Step results, by outcome'),
    retries: counter(
      'stepflow_runtime_step_retries_total',
      'Attempts after the first of steps with onError retry',
    ),
    calls: counter('stepflow_runtime_calls_total', 'Calls of component servers, by outcome'),
    callbacks: counter('stepflow_runtime_callbacks_total', 'Callbacks of components, by outcome'),
    callbackSeconds: new Histogram({
      name: 'stepflow_runtime_callback_duration_seconds',
      help: 'Time from the arrival of a callback to the acknowledgement of its reply',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
      registers,
    }),
  }
}
