// Spans of runs and steps: who hangs under whom, what they say, and where there are none.

import t from 'tap'
import { noHistory } from '../../program/history.ts'
import type { EndedSpan } from '../../program/spans.ts'
import { within } from '../trace.ts'
import { type Component, flowOf, runFlow, success, testExecutor } from './test-support.ts'

const trace = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  flags: '01',
  state: '',
}
const flow = { steps: [{ id: 's', component: '/x', input: 1 }], output: { $step: 's' } }

function traced(component: Component) {
  const ended: EndedSpan[] = []
  const add = (span: EndedSpan): void => void ended.push(span)
  const spans = { dropped: 0, add, flush: async () => {}, close() {} }
  return { ended, executor: testExecutor(component, noHistory, { spans }) }
}

t.test('a run hangs under the request, its steps under it, and calls carry the id of theirs', async (t) => {
  const calls: unknown[] = []
  const { ended, executor } = traced((call) => {
    calls.push(call.spanId)
    return { kind: 'success', value: call.input, pod: 'pod-1' }
  })
  const run = await runFlow(executor, flow, [null], { trace })
  const [step, top] = ended
  t.match(ended, [
    {
      ...{ traceId: trace.traceId, spanId: calls[0], parentId: top?.spanId, name: 'step', kind: 'internal' },
      attributes: {
        run_id: run.id,
        flow_id: run.plan.flow.id,
        step_id: 's',
        component: '/x',
        attempt: 1,
        pod: 'pod-1',
      },
      problem: null,
    },
    {
      ...{ traceId: trace.traceId, parentId: trace.spanId, name: 'run_execution', kind: 'server' },
      attributes: { run_id: run.id, item_count: 1, status: 'completed' },
      problem: null,
    },
  ])
  t.ok(Math.abs(Date.now() - (step?.startMs ?? 0)) < 10_000)
})

t.test('a run without a trace begins one under its own id', async (t) => {
  const { ended, executor } = traced(() => success(1))
  const run = await runFlow(executor, flow)
  t.match(ended[1], { traceId: run.id.replaceAll('-', ''), parentId: null })
})

t.test('each attempt has its own span, and says why it failed', async (t) => {
  const { ended, executor } = traced((call) =>
    call.attempt < 3
      ? { kind: 'broken', causes: [{ error: 'a' }, { error: 'b' }], details: { reason: 'reset' } }
      : { kind: 'failed', error: { code: 418, message: 'teapot' } },
  )
  const retry = { ...flow.steps[0], onError: { action: 'retry' } }
  await runFlow(executor, { ...flow, steps: [retry] })
  t.match(ended, [
    { attributes: { attempt: 1, 'error.type': 'reset' }, problem: 'a: b' },
    { attributes: { attempt: 2, 'error.type': 'reset' }, problem: 'a: b' },
    { attributes: { attempt: 3, 'error.type': '418' }, problem: 'teapot' },
    { attributes: { status: 'failed' }, problem: 'teapot' },
  ])
  t.not(ended[0]?.spanId, ended[1]?.spanId)
})

t.test('a step that no route leads to has a span too', async (t) => {
  const { ended, executor } = traced(() => success(1))
  await runFlow(executor, { ...flow, steps: [{ ...flow.steps[0], component: 'x' }] })
  t.match(ended, [
    {
      ...{ name: 'step', kind: 'internal', parentId: ended[1]?.spanId },
      attributes: { step_id: 's', component: 'x', 'error.type': 'unrouted' },
      problem: 'error routing component: No matching rule found for component: x',
    },
    { name: 'run_execution', problem: 'error routing component' },
  ])
})

t.test('a run that a step starts hangs under that step', async (t) => {
  const { ended, executor } = traced((call) => {
    if (call.component === '/x') return success(1)
    executor.submit({ flow: flowOf(flow), inputs: [], trace: within(call) })
    return success(2)
  })
  await runFlow(executor, { steps: [{ id: 'sub', component: '/sub', input: 1 }], output: { $step: 'sub' } })
  const [inner, step, outer] = ended
  t.equal(inner?.parentId, step?.spanId)
  t.equal(step?.parentId, outer?.spanId)
  t.equal(inner?.traceId, outer?.traceId)
})

t.test('nothing is recorded of a trace that is not sampled', async (t) => {
  const { ended, executor } = traced((call) => success(call.spanId))
  const run = await runFlow(executor, flow, [null], { trace: { ...trace, flags: '00' } })
  t.match(run.outcome(0), { value: 'null' })
  t.same(ended, [])
})

t.test('a cancelled run and the call under way say so', async (t) => {
  const { ended, executor } = traced(
    (call) =>
      new Promise((resolve) => {
        call.onCancel(() =>
          resolve({ kind: 'broken', causes: [{ error: 'cancelled' }], details: { reason: 'cancelled' } }),
        )
        setImmediate(() => executor.cancel(call.runId))
      }),
  )
  await runFlow(executor, flow)
  await new Promise(setImmediate)
  t.match(ended, [
    { name: 'run_execution', problem: 'cancelled' },
    { name: 'step', problem: 'cancelled' },
  ])
})
