// eval: runs a stored flow with an input; what the flow fails with is part of the success.

import { Type } from '@sinclair/typebox'
import { anyValue, flowResultSchema } from '../../wire/flow-schema.ts'
import { type Json, unquote } from '../../wire/json.ts'
import { writeOutcome } from '../executor/failure.ts'
import { BuiltinError, defineBuiltin, subflowsOf, succeed } from './builtin.ts'

export const evalFlow = defineBuiltin({
  name: '/eval',
  description: 'Execute a nested workflow with given input and return the result',
  input: Type.Object({ flow_id: Type.String(), input: anyValue }, { title: 'EvalInput' }),
  output: Type.Object({ result: flowResultSchema, run_id: Type.String() }, { title: 'EvalOutput' }),
  async run(fields, call, context) {
    const id = unquote(fields.get('flow_id') as Json)
    const blob = context.blobs.get(id)
    const found = blob === undefined ? [`Blob not found: ${id}`] : []
    if (blob?.flow == null) throw new BuiltinError(['internal error', 'error executing component', ...found])
    const run = await subflowsOf(call, context)(blob.flow, [fields.get('input') as Json])
    const outcome = run.outcome(0)
    if (outcome === undefined) throw new BuiltinError(['internal error', `Run ${run.status}: ${run.id}`])
    return succeed(`{"result":${writeOutcome(outcome)},"run_id":"${run.id}"}`)
  },
})
