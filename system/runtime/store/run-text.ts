// A run that has ended as one JSON text, and back.

import {
  arrayOf,
  elements,
  fromJson,
  type Json,
  jsonNull,
  kindOf,
  member,
  quote,
  toJson,
  unquote,
} from '../../wire/json.ts'
import type { Outcome } from '../executor/failure.ts'
import { writeOutcome } from '../executor/failure.ts'
import type { Plan } from '../executor/plan.ts'
import type { RunStatus, RunView, StepStatus } from '../executor/run-view.ts'

/**
 * `[status,createdAt,completedAt,root,parent,depth,overrides,inputs,outcomes,ended,stepStatuses,stepOutcomes]`.
 * An item's outcome that is a step's is written as the number of the step.
 */
export function writeRun(run: RunView): string {
  const steps = run.plan.flow.steps.map((_, step) => run.stepOutcome(step))
  const outcomes = run.inputs.map((_, item) => {
    const outcome = run.outcome(item)
    const same = outcome?.ok ? steps.findIndex((step) => step?.ok && step.value === outcome.value) : -1
    return same === -1 ? writeOptional(outcome) : toJson(same)
  })
  return arrayOf([
    quote(run.status),
    toJson(run.createdAt),
    toJson(run.completedAt),
    quote(run.rootRunId),
    toJson(run.parentRunId),
    toJson(run.depth),
    run.overrides ?? jsonNull,
    arrayOf(run.inputs),
    arrayOf(outcomes),
    toJson(run.inputs.map((_, item) => run.endedAt(item) ?? null)),
    toJson(steps.map((_, step) => run.stepStatus(step))),
    arrayOf(steps.map(writeOptional)),
  ])
}

export function readRun(id: string, plan: Plan, text: string): RunView {
  const parts = elements(text as Json)
  const part = (index: number): Json => parts[index] ?? jsonNull
  const inputs = elements(part(7))
  const outcomes = elements(part(8))
  const ended = fromJson(part(9)) as (number | null)[]
  const stepStatuses = fromJson(part(10)) as StepStatus[]
  const stepOutcomes = elements(part(11)).map(readOptional)
  return {
    id,
    plan,
    status: unquote(part(0)) as RunStatus,
    createdAt: Number(part(1)),
    completedAt: Number(part(2)),
    rootRunId: unquote(part(3)),
    parentRunId: fromJson(part(4)) as string | null,
    depth: Number(part(5)),
    overrides: part(6) === 'null' ? null : part(6),
    inputs,
    outcome(item) {
      const json = outcomes[item] ?? jsonNull
      return kindOf(json) === 'number' ? stepOutcomes[Number(json)] : readOptional(json)
    },
    endedAt: (item) => ended[item] ?? undefined,
    stepStatus: (step) => stepStatuses[step] ?? 'blocked',
    stepOutcome: (step) => stepOutcomes[step],
  }
}

function writeOptional(outcome: Outcome | undefined): Json {
  return outcome === undefined ? jsonNull : writeOutcome(outcome)
}

function readOptional(json: Json): Outcome | undefined {
  const value = member(json, 'result')
  if (value !== undefined) return { ok: true, value }
  const error = member(json, 'error')
  if (error === undefined) return undefined
  const data = member(error, 'data')
  return {
    ok: false,
    error: {
      code: Number(member(error, 'code')),
      message: unquote(member(error, 'message') ?? quote('')),
      ...(data === undefined ? {} : { data }),
    },
  }
}
