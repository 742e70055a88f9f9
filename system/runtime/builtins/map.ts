// map: runs a flow for each item of a list.

import { Type } from '@sinclair/typebox'
import { parseFlow } from '../../wire/flow.ts'
import { anyValue, flowResultSchema, flowSchema } from '../../wire/flow-schema.ts'
import { elements, type Json } from '../../wire/json.ts'
import { nullable } from '../../wire/json-shape.ts'
import { maxValueChars, tooLongError } from '../executor/evaluate.ts'
import { writeOutcome } from '../executor/failure.ts'
import { BuiltinError, defineBuiltin, subflowsOf, succeed } from './builtin.ts'

export const mapItems = defineBuiltin({
  name: '/map',
  description: 'Apply a workflow to each item in a list and collect the results',
  input: Type.Object(
    {
      workflow: flowSchema,
      items: Type.Array(anyValue),
      max_concurrency: Type.Optional(nullable(Type.Integer({ description: 'Items at once; 0: no limit' }))),
    },
    { title: 'MapInput' },
  ),
  output: Type.Object(
    { results: Type.Array(flowResultSchema), successful: Type.Integer(), failed: Type.Integer() },
    { title: 'MapOutput' },
  ),
  async run(fields, call, context) {
    const flow = parseFlow(fields.get('workflow') as Json)
    const items = elements(fields.get('items') as Json)
    const limit = Number(fields.get('max_concurrency') ?? 0)
    const run = await subflowsOf(call, context)(flow, items, limit > 0 ? limit : undefined)
    const outcomes = items.map((_, item) => run.outcome(item))
    if (outcomes.includes(undefined))
      throw new BuiltinError(['internal error', `Run ${run.status}: ${run.id}`])
    const successful = outcomes.filter((outcome) => outcome?.ok).length
    const results = outcomes.map((outcome) => (outcome === undefined ? '' : writeOutcome(outcome)))
    const chars = results.reduce((sum, result) => sum + result.length, 0)
    if (chars > maxValueChars) return { kind: 'failed', error: tooLongError }
    return succeed(
      `{"results":[${results.join(',')}],"successful":${successful},"failed":${items.length - successful}}`,
    )
  },
})
