// Takes runs in, starts as many as are allowed, lets others wait, refuses the rest; and ends them.

import type { HistoryWriter } from '../../program/history.ts'
import type { SpanExporter } from '../../program/spans.ts'
import type { Flow } from '../../wire/flow.ts'
import type { Json } from '../../wire/json.ts'
import { wallNow } from '../clock.ts'
import { newId } from '../ids.ts'
import type { RuntimeMetrics } from '../metrics.ts'
import type { Router } from '../plugins/router.ts'
import { Queue } from '../queue.ts'
import type { RunStore } from '../store/runs.ts'
import type { Trace } from '../trace.ts'
import { EndRate } from './end-rate.ts'
import { applyOverrides } from './overrides.ts'
import { type Plan, planFlow } from './plan.ts'
import { Run, type RunEnvironment } from './run.ts'
import { Slots } from './slots.ts'

/** Steps of a run and its sub-runs that are at work at once where the run does not say. */
export const defaultMaxConcurrency = 10

/** Sub-runs of sub-runs, at most: each level holds its parents' inputs and closures. */
export const maxRunDepth = 1_000

/** Characters that all results of a run may have: its record is one text, which has to fit a string of JavaScript. */
const defaultMaxRunChars = 256 * 1024 * 1024

export interface Submission {
  readonly flow: Flow
  readonly inputs: readonly Json[]
  /** Default 10; a sub-run shares that of its root. */
  readonly maxConcurrency?: number
  /** Items at work at once; default all that the slots allow. */
  readonly maxItems?: number
  readonly variables?: ReadonlyMap<string, Json>
  /** Normal form, see overrides.ts. */
  readonly overrides?: Json | null
  /** Default: that of the parent. */
  readonly trace?: Trace | null
  /** The run whose step starts this one. */
  readonly parent?: Run
  /** A component asks for it on a stream: it must not wait for the run that it is part of. */
  readonly urgent?: boolean
}

/** More runs than may run and wait, or more bytes of input than they may hold. */
export class OverloadedError extends Error {
  readonly retryAfterSeconds: number

  constructor(active: number, waiting: number, retryAfterSeconds: number, held = '') {
    super(`${active} runs are at work and ${waiting} wait${held}: try again later`)
    this.name = 'OverloadedError'
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export interface Executor {
  /**
   * Takes a run and returns at once; it is in the store when this returns.
   * @throws OverloadedError
   */
  submit(submission: Submission): Run
  /** Ends a run that is running; false: there is none of that id. */
  cancel(runId: string): boolean
  /** Runs taken and not ended, those that wait for their turn among them. */
  readonly inFlight: number
  /** Resolves when no run is in flight. */
  idle(): Promise<void>
}

export interface ExecutorParts {
  readonly router: Router
  readonly store: RunStore
  readonly history: HistoryWriter
  readonly metrics: RuntimeMetrics
  /** Runs at work at once, and runs that may wait for their turn; sub-runs do not count. */
  readonly maxActiveRuns: number
  readonly maxWaitingRuns: number
  /** Characters that the inputs of all these may have together; one run may always come. Default: no limit. */
  readonly maxInputChars?: number
  /** Characters that all results of a run may have; default 256 Mi. */
  readonly maxRunChars?: number
  /** Where spans of runs and steps go; default null: none are recorded. */
  readonly spans?: SpanExporter | null
  /** Told when a run has ended, before anyone who waits for it. */
  readonly onEnded?: (run: Run) => void
}

export function createExecutor(parts: ExecutorParts): Executor {
  const { history, metrics, store, maxActiveRuns, maxWaitingRuns } = parts
  const environment: RunEnvironment = {
    history,
    metrics,
    spans: parts.spans ?? null,
    maxRunChars: parts.maxRunChars ?? defaultMaxRunChars,
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
  const maxInputChars = parts.maxInputChars ?? Number.POSITIVE_INFINITY
  let inFlight = 0
  let inputChars = 0
  /** Runs that components asked for: they wait for nobody, but there may be as many as of others. */
  let urgentRuns = 0
  let active = 0
  /** Those that wait for their turn, and their order, in which cancelled ones stay until it is theirs. */
  const waiting = new Set<Run>()
  const queue = new Queue<Run>()
  const onIdle: (() => void)[] = []
  const endRate = new EndRate(wallNow())

  const ended = (run: Run): void => {
    inFlight--
    endRate.note(run.completedAt ?? run.createdAt)
    metrics.runsInFlight.set(inFlight)
    metrics.runs.inc(run.status)
    metrics.runSeconds.observe(((run.completedAt ?? run.createdAt) - run.createdAt) / 1000)
    store.ended(run)
    parts.onEnded?.(run)
    if (history.enabled && run.status !== 'running') {
      history.record({ kind: 'run.ended', runId: run.id, status: run.status, inFlight })
    }
    if (inFlight === 0) for (const listener of onIdle.splice(0)) listener()
  }

  const activateNext = (): void => {
    while (active < maxActiveRuns) {
      const next = queue.shift()
      if (next === undefined) return
      if (!waiting.delete(next)) continue
      metrics.runsWaiting.set(waiting.size)
      activate(next)
    }
  }
  const activate = (run: Run): void => {
    active++
    run.whenEnded(() => {
      active--
      // Not from here: a chain of runs that end at once would deepen the stack.
      if (waiting.size > 0) setImmediate(activateNext)
    })
    run.start()
  }

  return {
    submit(submission) {
      const {
        flow,
        inputs,
        maxConcurrency,
        maxItems,
        variables,
        overrides = null,
        parent,
        urgent,
      } = submission
      const counted = parent === undefined && urgent !== true
      const isUrgent = parent === undefined && urgent === true
      const full = active >= maxActiveRuns && waiting.size >= maxWaitingRuns
      if (counted ? full : isUrgent && urgentRuns >= maxActiveRuns + maxWaitingRuns) {
        const seconds = endRate.retryAfterSeconds(active + waiting.size, wallNow())
        throw new OverloadedError(active, waiting.size, seconds)
      }
      const chars = counted ? charsOf(inputs) : 0
      if (inputChars > 0 && inputChars + chars > maxInputChars) {
        const seconds = endRate.retryAfterSeconds(active + waiting.size, wallNow())
        throw new OverloadedError(active, waiting.size, seconds, ` with ${inputChars} characters of input`)
      }
      const steps = applyOverrides(flow, overrides)
      const run = new Run(
        {
          id: newId(),
          plan: steps === null || steps === flow.steps ? planOf(flow) : planFlow(flow, parts.router, steps),
          inputs,
          variables: variables ?? noVariables,
          overrides,
          trace: submission.trace ?? parent?.trace ?? null,
          parent: parent ?? null,
          slots: parent?.slots ?? new Slots(maxConcurrency ?? defaultMaxConcurrency),
          maxItems: maxItems ?? Number.POSITIVE_INFINITY,
        },
        environment,
      )
      inFlight++
      metrics.runsInFlight.set(inFlight)
      store.add(run)
      if (history.enabled) {
        history.record({ kind: 'run.accepted', runId: run.id, flowId: flow.id, inFlight })
      }
      // First of all listeners: the end is recorded before anyone hears of it.
      inputChars += chars
      if (isUrgent) urgentRuns++
      run.whenEnded(() => {
        inputChars -= chars
        if (isUrgent) urgentRuns--
        ended(run)
      })
      if (steps === null || run.depth > maxRunDepth) run.fail()
      else if (!counted) run.start()
      else if (active < maxActiveRuns && waiting.size === 0) activate(run)
      else {
        queue.push(run)
        waiting.add(run)
        metrics.runsWaiting.set(waiting.size)
        run.whenEnded(() => waiting.delete(run))
      }
      return run
    },
    cancel(runId) {
      const run = store.atWork(runId)
      if (run === undefined) return false
      run.cancel()
      return true
    },
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

function charsOf(inputs: readonly Json[]): number {
  let sum = 0
  for (const input of inputs) sum += input.length
  return sum
}

const noVariables: ReadonlyMap<string, Json> = new Map()
