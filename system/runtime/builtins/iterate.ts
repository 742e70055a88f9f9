// iterate: runs a flow on its own `next` until it returns a `result`.

import { Type } from '@sinclair/typebox'
import { parseFlow } from '../../wire/flow.ts'
import { anyValue, flowSchema } from '../../wire/flow-schema.ts'
import { type Json, members } from '../../wire/json.ts'
import type { CallOutcome } from '../plugins/plugin.ts'
import { BuiltinError, defineBuiltin, subflowsOf, succeed } from './builtin.ts'

const defaultMaxIterations = 1000

export const iterate = defineBuiltin({
  name: '/iterate',
  description: 'Iteratively apply a workflow until it returns a result instead of next',
  input: Type.Object(
    {
      flow: flowSchema,
      initial_input: anyValue,
      max_iterations: Type.Optional(
        Type.Integer({ minimum: 0, default: defaultMaxIterations, expecting: 'u32' }),
      ),
    },
    { title: 'IterateInput' },
  ),
  output: Type.Object(
    { result: anyValue, iterations: Type.Integer(), terminated: Type.Boolean() },
    { title: 'IterateOutput' },
  ),
  async run(fields, call, context): Promise<CallOutcome> {
    const flow = parseFlow(fields.get('flow') as Json)
    const most = Number(fields.get('max_iterations') ?? defaultMaxIterations)
    let input = fields.get('initial_input') as Json
    const runSubflow = subflowsOf(call, context)
    for (let iterations = 1; iterations <= most; iterations++) {
      const run = await runSubflow(flow, [input])
      const outcome = run.outcome(0)
      if (outcome === undefined) throw new BuiltinError(['internal error', `Run ${run.status}: ${run.id}`])
      if (!outcome.ok) return { kind: 'failed', error: outcome.error }
      // One pass over a value that may have grown with each iteration.
      const found = new Map(members(outcome.value))
      const result = found.get('result')
      if (result !== undefined) {
        return succeed(`{"result":${result},"iterations":${iterations},"terminated":false}`)
      }
      const next = found.get('next')
      if (next === undefined) {
        const message = "Workflow result must contain either 'result' or 'next' field"
        return { kind: 'failed', error: { code: 400, message } }
      }
      input = next
    }
    return succeed(`{"result":${input},"iterations":${most},"terminated":true}`)
  },
})
