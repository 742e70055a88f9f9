// One item of a run: which of its steps are needed, in which order they may go, and what comes out.

import type { Json } from '../../wire/json.ts'
import { type Evaluation, evaluate, type Scope, type Unevaluated } from './evaluate.ts'
import type { Outcome } from './failure.ts'
import type { Plan } from './plan.ts'

/** What an item asks of its run. */
export interface ItemHost {
  /** The step's input is known: run it and call `ended` on the item. */
  ready(item: Item, step: number, input: Json): void
  /** The step ended without running, because its input failed. */
  skipped(item: Item, step: number, outcome: Outcome): void
  /** Nothing is left to do. */
  done(item: Item, output: Outcome): void
  variable(name: string): Json | undefined
}

const idle = 0
const waiting = 1
const atWork = 2
const over = 3

/**
 * Steps start only when the output or a step that must run needs them, and needs are lazy: a branch not taken
 * is never run. Everything goes through a work list, so that long chains do not deepen the stack.
 */
export class Item implements Scope {
  readonly index: number
  readonly input: Json
  readonly #plan: Plan
  readonly #host: ItemHost
  readonly #states: number[]
  readonly #outcomes: (Outcome | undefined)[]
  readonly #missing: number[]
  readonly #waiters: (number[] | undefined)[]
  readonly #work: number[] = []
  /** What is left to evaluate of tasks that turned out to need more. */
  #rests: Map<number, Unevaluated> | null = null
  #working = false
  #open = 0
  #output: Outcome | undefined

  constructor(plan: Plan, host: ItemHost, index: number, input: Json) {
    const tasks = plan.steps.length + 1
    this.index = index
    this.input = input
    this.#plan = plan
    this.#host = host
    this.#states = new Array<number>(tasks).fill(idle)
    this.#missing = new Array<number>(tasks).fill(0)
    this.#outcomes = new Array<Outcome | undefined>(tasks)
    this.#waiters = new Array<number[] | undefined>(tasks)
  }

  start(): void {
    this.#demand(this.#plan.steps.length)
    for (const step of this.#plan.mustRun) this.#demand(step)
    this.#drain()
  }

  /** The step that `ready` announced has ended. */
  ended(step: number, outcome: Outcome): void {
    this.#end(step, outcome)
    this.#drain()
  }

  outcomeOf(step: string): Outcome | 'pending' | 'unknown' {
    const index = this.#plan.indexOf.get(step)
    return index === undefined ? 'unknown' : (this.#outcomes[index] ?? 'pending')
  }

  variable(name: string): Json | undefined {
    return this.#host.variable(name)
  }

  /** Task `steps.length` is the output. */
  #demand(first: number): void {
    const stack = [first]
    for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
      if (this.#states[task] !== idle) continue
      this.#states[task] = waiting
      this.#open++
      const needs = this.#plan.steps[task]?.needs ?? this.#plan.outputNeeds
      if (this.#waitFor(task, needs) === 0) this.#work.push(task)
      else {
        // Backwards, so that they are taken from the stack in the flow's order.
        for (let index = needs.length - 1; index >= 0; index--) {
          const need = needs[index] as number
          if (need !== -1) stack.push(need)
        }
      }
    }
  }

  /** Makes `task` wait for those of `needs` that have not ended; returns how many. */
  #waitFor(task: number, needs: readonly number[]): number {
    let count = 0
    for (const need of needs) {
      if (need === -1 || this.#states[need] === over) continue
      count++
      const list = this.#waiters[need]
      if (list === undefined) this.#waiters[need] = [task]
      else list.push(task)
    }
    this.#missing[task] = count
    return count
  }

  #drain(): void {
    if (this.#working) return
    this.#working = true
    for (let at = 0; at < this.#work.length; at++) this.#advance(this.#work[at] as number)
    this.#work.length = 0
    this.#working = false
    if (this.#open === 0 && this.#output !== undefined) {
      const output = this.#output
      this.#output = undefined
      this.#host.done(this, output)
    }
  }

  /** What `task` waited for is there: go on evaluating, and wait, fail or go. */
  #advance(task: number): void {
    const step = this.#plan.steps[task]
    const whole = step === undefined ? this.#plan.output : step.step.input
    const result: Evaluation = evaluate(this.#rests?.get(task) ?? whole, this)
    if (result.kind === 'needs') {
      this.#rests ??= new Map()
      this.#rests.set(task, result.rest)
      const needs = result.steps.map((id) => this.#plan.indexOf.get(id) ?? -1)
      this.#waitFor(task, needs)
      for (const need of needs) this.#demand(need)
      return
    }
    this.#rests?.delete(task)
    if (step === undefined) {
      this.#states[task] = over
      this.#output =
        result.kind === 'value' ? { ok: true, value: result.value } : { ok: false, error: result.error }
      this.#open--
      return
    }
    if (result.kind === 'failed') {
      const outcome: Outcome = { ok: false, error: result.error }
      this.#host.skipped(this, task, outcome)
      this.#end(task, outcome)
      return
    }
    this.#states[task] = atWork
    this.#host.ready(this, task, result.value)
  }

  #end(task: number, outcome: Outcome): void {
    this.#states[task] = over
    this.#outcomes[task] = outcome
    this.#open--
    const waiters = this.#waiters[task]
    if (waiters === undefined) return
    this.#waiters[task] = undefined
    for (const waiter of waiters) {
      const left = (this.#missing[waiter] as number) - 1
      this.#missing[waiter] = left
      if (left === 0) this.#work.push(waiter)
    }
  }
}
