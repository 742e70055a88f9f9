// Takes runs in, counts those in flight, and keeps them where they can be found.

import type { HistoryWriter } from '../../program/history.ts'
import type { Flow } from '../../wire/flow.ts'
import type { Json } from '../../wire/json.ts'
import { newId } from '../ids.ts'
import type { RuntimeMetrics } from '../metrics.ts'
import type { Router } from '../plugins/router.ts'
import type { RunStore } from '../store/runs.ts'
import { type Plan, planFlow } from './plan.ts'
import { Run, type RunEnvironment } from './run.ts'
import { createSlots } from './slots.ts'

/** Steps of a run and its sub-runs that are at work at once where the run does not say. */
export const defaultMaxConcurrency = 10

export interface Submission {
  readonly flow: Flow
  readonly inputs: readonly Json[]
  /** Default 10; a sub-run shares that of its root. */
  readonly maxConcurrency?: number
  readonly variables?: ReadonlyMap<string, Json>
  readonly overrides?: Json
  /** The run whose step starts this one. */
  readonly parent?: Run
}

export interface Executor {
  /** Starts a run and returns at once; it is in the store when this returns. */
  submit(submission: Submission): Run
  /** Ends a run that is running; false: there is none of that id. */
  cancel(runId: string): boolean
  /** Runs known, oldest first. */
  runs(): Iterable<Run>
  readonly inFlight: number
  /** Resolves when no run is in flight. */
  idle(): Promise<void>
}

export interface ExecutorParts {
  readonly router: Router
  readonly store: RunStore
  readonly history: HistoryWriter
  readonly metrics: RuntimeMetrics
}

export function createExecutor(parts: ExecutorParts): Executor {
  const { history, metrics, store } = parts
  const environment: RunEnvironment = {
    history,
    metrics,
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
  }
  const plans = new WeakMap<Flow, Plan>()
  const planOf = (flow: Flow): Plan => {
    let plan = plans.get(flow)
    if (plan === undefined) {
      plan = planFlow(flow, parts.router)
      plans.set(flow, plan)
    }
    return plan
  }
  let inFlight = 0
  const onIdle: (() => void)[] = []

  const ended = (run: Run): void => {
    inFlight--
    metrics.runsInFlight.set(inFlight)
    metrics.runs.inc(run.status)
    metrics.runSeconds.observe(((run.completedAt ?? run.createdAt) - run.createdAt) / 1000)
    store.ended(run)
    if (history.enabled && run.status !== 'running') {
      history.record({ kind: 'run.ended', runId: run.id, status: run.status, inFlight })
    }
    if (inFlight === 0) for (const listener of onIdle.splice(0)) listener()
  }

  return {
    submit({ flow, inputs, maxConcurrency, variables, overrides, parent }) {
      const id = newId()
      const run = new Run(
        {
          id,
          plan: planOf(flow),
          inputs,
          variables: variables ?? new Map(),
          overrides: overrides ?? null,
          root: parent?.rootRunId ?? id,
          parent: parent?.id ?? null,
          slots: parent?.slots ?? createSlots(maxConcurrency ?? defaultMaxConcurrency),
        },
        environment,
      )
      inFlight++
      metrics.runsInFlight.set(inFlight)
      store.add(run)
      if (history.enabled) history.record({ kind: 'run.accepted', runId: id, flowId: flow.id, inFlight })
      // First of all listeners: the end is recorded before anyone hears of it.
      run.whenEnded(() => ended(run))
      run.start()
      return run
    },
    cancel(runId) {
      const run = store.get(runId)
      if (run?.status !== 'running') return false
      run.cancel()
      return true
    },
    runs: () => store.all(),
    get inFlight() {
      return inFlight
    },
    idle: () =>
      new Promise((resolve) => {
        if (inFlight === 0) resolve()
        else onIdle.push(resolve)
      }),
  }
}
