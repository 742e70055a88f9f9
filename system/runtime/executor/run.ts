// One run: its items, the steps under way, and the record that stays when it has ended.

import type { HistoryWriter } from '../../program/history.ts'
import type { SpanExporter } from '../../program/spans.ts'
import { isSampled, newSpanId } from '../../program/trace-context.ts'
import type { FlowStep } from '../../wire/flow.ts'
import type { Json } from '../../wire/json.ts'
import { type WallMs, wallNow } from '../clock.ts'
import type { RuntimeMetrics } from '../metrics.ts'
import type { CallOutcome } from '../plugins/plugin.ts'
import type { Target } from '../plugins/router.ts'
import { newTrace, type Trace } from '../trace.ts'
import { brokenStep, type FlowError, type Outcome, unroutedStep } from './failure.ts'
import { Item, type ItemHost } from './item.ts'
import type { Plan } from './plan.ts'
import type { RunStatus, RunView, StepStatus } from './run-view.ts'
import type { Slots } from './slots.ts'
import { attemptSpan, runSpan } from './spans.ts'

/** What a run takes from the program around it. */
export interface RunEnvironment {
  readonly history: HistoryWriter
  readonly metrics: RuntimeMetrics
  /** Null: no spans are recorded. */
  readonly spans: SpanExporter | null
  /** Calls back after `delayMs`; returns what stops it. */
  readonly after: (delayMs: number, callback: () => void) => () => void
  /** Characters that all results of a run may have. */
  readonly maxRunChars: number
}

export interface RunOptions {
  readonly id: string
  readonly plan: Plan
  readonly inputs: readonly Json[]
  readonly variables: ReadonlyMap<string, Json>
  /** Normal form of the overrides; null without any. */
  readonly overrides: Json | null
  readonly trace: Trace | null
  /** The run whose step starts this one. */
  readonly parent: Run | null
  readonly slots: Slots
  /** Items at work at once. */
  readonly maxItems: number
}

export class Run implements ItemHost, RunView {
  readonly id: string
  readonly plan: Plan
  readonly inputs: readonly Json[]
  readonly overrides: Json | null
  readonly trace: Trace | null
  readonly rootRunId: string
  readonly parentRunId: string | null
  /** 0 for a run that no step started. */
  readonly depth: number
  readonly createdAt: WallMs = wallNow()
  /** Shared with the whole tree of runs. */
  readonly slots: Slots
  readonly #maxItems: number
  readonly #environment: RunEnvironment
  readonly #variables: ReadonlyMap<string, Json>
  readonly #stepStatus: StepStatus[]
  readonly #stepOutcomes: (Outcome | undefined)[]
  readonly #outcomes: (Outcome | undefined)[]
  readonly #endedAt: WallMs[] = []
  /** Null where no spans are recorded, or none of this trace. */
  readonly #spanId: string | null
  #onEnd: (() => void)[] | null = null
  #onCancel: Set<() => void> | null = null
  #next = 0
  #open: number
  #itemsAtWork = 0
  #parked = false
  /** Characters of the results it holds. */
  #chars = 0
  #status: RunStatus = 'running'
  #completedAt: WallMs | null = null

  constructor(options: RunOptions, environment: RunEnvironment) {
    this.id = options.id
    this.plan = options.plan
    this.inputs = options.inputs
    this.overrides = options.overrides
    this.trace = options.trace ?? (environment.spans === null ? null : newTrace(options.id))
    this.#spanId =
      environment.spans !== null && this.trace !== null && isSampled(this.trace.flags) ? newSpanId() : null
    this.rootRunId = options.parent?.rootRunId ?? options.id
    this.parentRunId = options.parent?.id ?? null
    this.depth = options.parent === null ? 0 : options.parent.depth + 1
    this.slots = options.slots
    this.#maxItems = options.maxItems
    this.#variables = options.variables
    this.#environment = environment
    this.#open = options.inputs.length
    this.#outcomes = new Array<Outcome | undefined>(options.inputs.length)
    this.#stepStatus = options.plan.steps.map(() => 'blocked')
    this.#stepOutcomes = new Array<Outcome | undefined>(options.plan.steps.length)
  }

  get status(): RunStatus {
    return this.#status
  }

  get completedAt(): WallMs | null {
    return this.#completedAt
  }

  /** Queues the items; a run without any ends at once. */
  start(): void {
    if (this.#open === 0) {
      this.#finish()
      return
    }
    this.slots.offer(() => this.#startItem())
    this.slots.pump()
  }

  /** Calls back when the run has ended, at once if it has. */
  whenEnded(listener: () => void): void {
    if (this.#status !== 'running') listener()
    else if (this.#onEnd === null) this.#onEnd = [listener]
    else this.#onEnd.push(listener)
  }

  /** Ends a run that cannot even start, without results. */
  fail(): void {
    if (this.#status !== 'running') return
    this.#status = 'failed'
    this.#settle()
  }

  /** Starts nothing more and ends the run as cancelled; calls under way are told. */
  cancel(): void {
    if (this.#status !== 'running') return
    this.#status = 'cancelled'
    for (const listener of [...(this.#onCancel ?? [])]) listener()
    this.#settle()
  }

  stepStatus(step: number): StepStatus {
    return this.#stepStatus[step] ?? 'blocked'
  }

  /** The last result of a step, whichever item it was of. */
  stepOutcome(step: number): Outcome | undefined {
    return this.#stepOutcomes[step]
  }

  outcome(item: number): Outcome | undefined {
    return this.#outcomes[item]
  }

  endedAt(item: number): WallMs | undefined {
    return this.#endedAt[item]
  }

  /** False while no further item may start. */
  #startItem(): boolean {
    if (this.#status !== 'running') return false
    if (this.#itemsAtWork >= this.#maxItems) {
      this.#parked = true
      return false
    }
    const index = this.#next++
    const input = this.inputs[index]
    if (input === undefined) return false
    this.#itemsAtWork++
    new Item(this.plan, this, index, input).start()
    return this.#next < this.inputs.length
  }

  // ---- what items ask ---------------------------------------------------------------------------------

  variable(name: string): Json | undefined {
    return this.#variables.get(name) ?? this.plan.variableDefaults.get(name)
  }

  ready(item: Item, step: number, input: Json): void {
    this.#stepStatus[step] = 'runnable'
    this.slots.enqueue(() => this.#execute(item, step, input))
  }

  skipped(item: Item, step: number, outcome: Outcome): void {
    this.#record(item, step, this.#fit(outcome, this.#stepOutcomes[step]), { attempt: 0 })
  }

  done(item: Item, output: Outcome): void {
    if (this.#status !== 'running') return
    this.#outcomes[item.index] = this.#fit(output, undefined)
    this.#endedAt[item.index] = wallNow()
    this.#itemsAtWork--
    if (--this.#open === 0) this.#finish()
    else if (this.#parked) {
      this.#parked = false
      this.slots.offer(() => this.#startItem())
    }
  }

  // ---- one step ---------------------------------------------------------------------------------------

  #execute(item: Item, step: number, input: Json): void {
    const planned = this.plan.steps[step]
    const slot = { held: true }
    if (planned === undefined || this.#status !== 'running') {
      this.#leave(slot)
      return
    }
    const { step: definition } = planned
    this.#stepStatus[step] = 'running'
    const { history } = this.#environment
    if (history.enabled) {
      history.record({
        kind: 'step.started',
        runId: this.id,
        stepId: definition.id,
        item: item.index,
        component: definition.component,
      })
    }
    const target = planned.resolve(input)
    if (target.kind === 'none') {
      this.#spanUnrouted(item, definition, target.problem)
      const outcome: Outcome = { ok: false, error: unroutedStep(definition.id, target.problem) }
      this.#conclude(item, step, outcome, { attempt: 1 }, slot)
      return
    }
    this.#attempt({ item, step, input, target, slot }, 1)
  }

  #attempt(work: Work, attempt: number): void {
    const { item, step, input, target, slot } = work
    let listeners: (() => void)[] | null = null
    const spanId = this.#spanId === null ? null : newSpanId()
    const startedAt = spanId === null ? 0 : wallNow()
    const result = target.plugin.execute({
      runId: this.id,
      rootRunId: this.rootRunId,
      flowId: this.plan.flow.id,
      stepId: this.plan.steps[step]?.step.id as string,
      item: item.index,
      attempt,
      component: target.component,
      input,
      trace: this.trace,
      spanId,
      timeouts: target.timeouts,
      onCancel: (listener) => {
        listeners ??= []
        listeners.push(listener)
        this.#tellOnCancel(listener)
      },
      yieldSlot: () => {
        if (!slot.held) return
        slot.held = false
        this.slots.release()
        queueMicrotask(() => this.slots.pump())
      },
    })
    if (!(result instanceof Promise)) {
      if (spanId !== null) this.#endSpan(work, attempt, spanId, startedAt, result)
      this.#answered(work, attempt, result)
      return
    }
    result.then((outcome) => {
      for (const listener of listeners ?? []) this.#onCancel?.delete(listener)
      if (spanId !== null) this.#endSpan(work, attempt, spanId, startedAt, outcome)
      this.#answered(work, attempt, outcome)
    })
  }

  #endSpan(work: Work, attempt: number, spanId: string, startedAt: WallMs, outcome: CallOutcome): void {
    const { spans } = this.#environment
    if (spans === null || this.trace === null || this.#spanId === null) return
    const { plugin, component } = work.target
    const stepId = this.plan.steps[work.step]?.step.id ?? ''
    const remote = plugin.remote === true
    const ended = { spanId, startedAt, stepId, item: work.item.index, attempt, remote, component, outcome }
    spans.add(attemptSpan(this, this.trace, this.#spanId, ended))
  }

  /** No plugin has it, so no attempt's span would say why it failed. */
  #spanUnrouted(item: Item, { id, component }: FlowStep, problem: string): void {
    const { spans } = this.#environment
    if (spans === null || this.trace === null || this.#spanId === null) return
    const causes = [{ error: 'error routing component' }, { error: problem }]
    spans.add(
      attemptSpan(this, this.trace, this.#spanId, {
        ...{ spanId: newSpanId(), startedAt: wallNow(), stepId: id, item: item.index, attempt: 1 },
        ...{ remote: false, component, outcome: { kind: 'broken', causes, details: { reason: 'unrouted' } } },
      }),
    )
  }

  #answered(work: Work, attempt: number, result: CallOutcome): void {
    const { item, step, target, slot } = work
    const definition = this.plan.steps[step]?.step
    if (definition === undefined || this.#status !== 'running') {
      this.#leave(slot)
      return
    }
    if (result.kind === 'success') {
      this.#conclude(item, step, { ok: true, value: result.value }, { ...result, attempt }, slot)
      return
    }
    const { onError } = definition
    if (onError.action === 'retry' && attempt < onError.maxAttempts) {
      this.#retry(work, attempt)
      return
    }
    const error: FlowError =
      result.kind === 'failed'
        ? result.error
        : brokenStep(
            definition.id,
            target.component,
            attempt,
            result.causes,
            result.details,
            result.attachments,
          )
    const outcome: Outcome =
      onError.action === 'useDefault' ? { ok: true, value: onError.defaultValue } : { ok: false, error }
    const witness =
      result.kind === 'broken'
        ? { attempt, requestId: result.requestId, pod: result.details.pod }
        : { attempt }
    this.#conclude(item, step, outcome, witness, slot)
  }

  /** Waits, with the slot, and tries again; a cancelled run does not. */
  #retry(work: Work, attempt: number): void {
    this.#environment.metrics.retries.inc()
    const stop = this.#environment.after(retryDelayMs(attempt), () => {
      this.#onCancel?.delete(abandon)
      this.#attempt(work, attempt + 1)
    })
    const abandon = (): void => {
      stop()
      this.#leave(work.slot)
    }
    this.#tellOnCancel(abandon)
  }

  #tellOnCancel(listener: () => void): void {
    this.#onCancel ??= new Set()
    this.#onCancel.add(listener)
  }

  #conclude(item: Item, step: number, result: Outcome, witness: StepWitness, slot: { held: boolean }): void {
    const outcome = this.#fit(result, this.#stepOutcomes[step])
    this.#record(item, step, outcome, witness)
    item.ended(step, outcome)
    this.#leave(slot)
  }

  /** `next`, which takes the place of `before`, or the failure of holding too much. */
  #fit(next: Outcome, before: Outcome | undefined): Outcome {
    const chars = this.#chars + charsOf(next) - (before === undefined ? 0 : charsOf(before))
    const { maxRunChars } = this.#environment
    if (chars > maxRunChars) return tooMuch(maxRunChars)
    this.#chars = chars
    return next
  }

  /** Stores the step's result: once for each step of each item. */
  #record(item: Item, step: number, outcome: Outcome, witness: StepWitness): void {
    const { history, metrics } = this.#environment
    this.#stepOutcomes[step] = outcome
    this.#stepStatus[step] = outcome.ok ? 'completed' : 'failed'
    metrics.steps.inc(outcome.ok ? 'success' : 'failed')
    if (!history.enabled) return
    history.record({
      kind: 'step.result',
      runId: this.id,
      stepId: this.plan.steps[step]?.step.id ?? '',
      item: item.index,
      attempt: witness.attempt,
      requestId: witness.requestId,
      outcome: outcome.ok ? 'success' : 'failed',
      instanceId: witness.pod,
      error: outcome.ok ? undefined : outcome.error.message,
    })
  }

  #leave(slot: { held: boolean }): void {
    if (slot.held) {
      slot.held = false
      this.slots.release()
    }
    this.slots.pump()
  }

  // ---- the end ----------------------------------------------------------------------------------------

  #finish(): void {
    this.#status = this.#outcomes.some((outcome) => outcome?.ok === false) ? 'failed' : 'completed'
    this.#settle()
  }

  #settle(): void {
    this.#completedAt = wallNow()
    if (this.#spanId !== null && this.trace !== null) {
      this.#environment.spans?.add(runSpan(this, this.trace, this.#spanId))
    }
    const listeners = this.#onEnd ?? []
    this.#onEnd = null
    this.#onCancel = null
    for (const listener of listeners) listener()
  }
}

function tooMuch(chars: number): Outcome {
  const message = `The results of the run are longer than ${chars} characters together`
  return { ok: false, error: { code: 500, message } }
}

function charsOf(outcome: Outcome): number {
  return outcome.ok ? outcome.value.length : outcome.error.message.length + (outcome.error.data?.length ?? 0)
}

/** A step of an item that is being executed. */
interface Work {
  readonly item: Item
  readonly step: number
  readonly input: Json
  readonly target: Target & { readonly kind: 'found' }
  readonly slot: { held: boolean }
}

interface StepWitness {
  readonly attempt: number
  readonly requestId?: string | undefined
  readonly pod?: string | undefined
}

/** Doubles from 100 ms up to 5 s. */
function retryDelayMs(attempt: number): number {
  return Math.min(5_000, 100 * 2 ** (attempt - 1))
}
