// A flow made ready to run: who needs what, which plugin runs which step.

import type { Flow, FlowStep } from '../../wire/flow.ts'
import type { Expression } from '../../wire/flow-expression.ts'
import { requiredOf } from '../../wire/flow-schema.ts'
import { fromJson, type Json, jsonNull, kindOf, member, members, toJson } from '../../wire/json.ts'
import type { Resolve, Router } from '../plugins/router.ts'
import { firstNeeds } from './evaluate.ts'

export interface PlanStep {
  readonly step: FlowStep
  readonly resolve: Resolve
  /** Indices of the steps its input needs first; -1 for one that does not exist. */
  readonly needs: readonly number[]
}

export interface Plan {
  readonly flow: Flow
  readonly steps: readonly PlanStep[]
  readonly output: Expression
  readonly outputNeeds: readonly number[]
  /** Steps that run although nothing needs them. */
  readonly mustRun: readonly number[]
  readonly indexOf: ReadonlyMap<string, number>
  /** Defaults of variables from the schema. */
  readonly variableDefaults: ReadonlyMap<string, Json>
}

/** @param steps those of the flow, perhaps with a run's overrides */
export function planFlow(flow: Flow, router: Router, steps: readonly FlowStep[] = flow.steps): Plan {
  const indexOf = new Map(steps.map((step, index) => [step.id, index]))
  const indices = (expression: Expression): number[] =>
    firstNeeds(expression).map((id) => indexOf.get(id) ?? -1)
  return {
    flow,
    steps: steps.map((step) => ({
      step,
      resolve: router.resolver(step.component),
      needs: indices(step.input),
    })),
    output: flow.output,
    outputNeeds: indices(flow.output),
    mustRun: steps.flatMap((step, index) => (step.mustExecute ? [index] : [])),
    indexOf,
    variableDefaults: defaultsOf(flow.schemas),
  }
}

/** Explicit defaults; else, for variables that are not required, an empty value of their type. */
function defaultsOf(schemas: Json | null): ReadonlyMap<string, Json> {
  const defaults = new Map<string, Json>()
  const variables =
    schemas === null ? undefined : member(member(schemas, 'properties') ?? jsonNull, 'variables')
  if (variables === undefined) return defaults
  const required = requiredOf(variables)
  for (const [name, schema] of members(member(variables, 'properties') ?? jsonNull)) {
    const given = member(schema, 'default')
    const byType = given ?? (required.has(name) ? undefined : emptyOf(member(schema, 'type')))
    if (byType !== undefined) defaults.set(name, byType)
  }
  return defaults
}

function emptyOf(type: Json | undefined): Json | undefined {
  if (type === undefined) return undefined
  if (kindOf(type) === 'array') return (fromJson(type) as unknown[]).includes('null') ? jsonNull : undefined
  switch (fromJson(type)) {
    case 'string':
      return toJson('')
    case 'number':
    case 'integer':
      return toJson(0)
    case 'boolean':
      return toJson(false)
    default:
      return undefined
  }
}
