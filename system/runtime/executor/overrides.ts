// Overrides of a run: patches of single steps, applied to their normal form.

import { type TSchema, Type } from '@sinclair/typebox'
import { type Flow, type FlowStep, parseStep } from '../../wire/flow.ts'
import { type Json, kindOf, member, members, objectOf, quote, unquote } from '../../wire/json.ts'
import { mergePatch } from '../../wire/json-merge.ts'
import { checkedBy, checkShape, oneOf, type Place, ShapeError } from '../../wire/json-shape.ts'

const stepOverrideSchema = Type.Object(
  {
    $type: Type.Optional(
      oneOf(['merge_patch', 'json_patch'], { default: 'merge_patch', description: 'Only merge_patch works' }),
    ),
    value: Type.Unknown({
      description: 'RFC 7396 patch of the step: component, input, onError, mustExecute',
    }),
  },
  { title: 'StepOverride' },
)

const plainSchema = Type.Record(Type.String(), stepOverrideSchema)

/** By step id; the generated client's form, wrapped in `steps`, is read too. */
export const overridesSchema: TSchema = checkedBy(
  Type.Record(Type.String(), stepOverrideSchema, { title: 'WorkflowOverrides' }),
  (json: Json, place: Place) => checkShape(plainSchema, unwrap(json), place),
)

/** `{"steps":{...}}` as generated clients send it, unless that is an override of a step called `steps`. */
function unwrap(json: Json): Json {
  if (kindOf(json) !== 'object') return json
  const [only, ...more] = members(json)
  if (only === undefined || more.length > 0 || only[0] !== 'steps') return json
  const [, inner] = only
  return kindOf(inner) === 'object' && member(inner, 'value') === undefined ? inner : json
}

/** Normal form, `$type` filled in; null without any. */
export function readOverrides(json: Json | undefined): Json | null {
  if (json === undefined) return null
  const list = members(unwrap(json)).map(([id, override]): [string, Json] => [
    id,
    objectOf([
      ['$type', member(override, '$type') ?? quote('merge_patch')],
      ['value', member(override, 'value')],
    ]),
  ])
  return list.length === 0 ? null : objectOf(list)
}

/** The flow's steps with the patches applied; null where one cannot be. */
export function applyOverrides(flow: Flow, overrides: Json | null): readonly FlowStep[] | null {
  if (overrides === null) return flow.steps
  const steps = [...flow.steps]
  for (const [id, override] of members(overrides)) {
    const index = flow.steps.findIndex((step) => step.id === id)
    const step = flow.steps[index]
    const type = member(override, '$type')
    const patch = member(override, 'value')
    if (step === undefined || patch === undefined || type === undefined) return null
    if (unquote(type) !== 'merge_patch') return null
    try {
      steps[index] = parseStep(mergePatch(step.json, patch), [])
    } catch (error) {
      if (error instanceof ShapeError) return null
      throw error
    }
  }
  return steps
}
