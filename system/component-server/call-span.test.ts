// Spans of component calls: under whom they hang, and what they say of the call's end.

import t from 'tap'
import type { EndedSpan } from '../program/spans.ts'
import { beginCallSpan } from './call-span.ts'
import type { CallIds } from './messages.ts'
import type { Outcome } from './metrics.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const step = '1111111111111111'
const balancer = '2222222222222222'
const ids: CallIds = { traceId, spanId: step, runId: 'r', flowId: 'f', stepId: 's' }
const none: CallIds = {
  ...{ traceId: undefined, spanId: undefined, runId: undefined, flowId: undefined, stepId: undefined },
}

/** The ids that a component is given, and the span that was sent: undefined where none was. */
function callOf(given: CallIds, traceparent?: string, outcome: Outcome = 'success', problem?: string) {
  const ended: EndedSpan[] = []
  const counted: unknown[] = []
  const spans = {
    dropped: 0,
    add: (span: EndedSpan) => void ended.push(span),
    flush: async () => {},
    close() {},
  }
  const head = { pinned: undefined, via: undefined, traceparent }
  const { message, count } = beginCallSpan(
    spans,
    {
      ...{ kind: 'execute', id: '"e"' as never, requestId: 'e', component: '/double', input: 1, attempt: 2 },
      ...{ ids: given, text: '' },
    },
    head,
    { ended: (...end) => void counted.push(end) },
  )
  count.ended(outcome, 5, problem)
  return { ids: message.ids, span: ended[0], counted }
}

t.test('hangs under the balancer’s span, which is nearer than the step’s', async (t) => {
  const { ids: own, span, counted } = callOf(ids, `00-${traceId}-${balancer}-01`)
  t.match(span, {
    ...{
      traceId,
      parentId: balancer,
      name: 'component:/double',
      kind: 'server',
      durationMs: 5,
      problem: null,
    },
    attributes: {
      component: '/double',
      attempt: 2,
      run_id: 'r',
      flow_id: 'f',
      step_id: 's',
      'error.type': null,
    },
  })
  t.same(own, { ...ids, spanId: span?.spanId }, 'and the component hears of its own')
  t.same(counted, [['success', 5]])
})

t.test('hangs under the step’s where nothing else is of that trace', async (t) => {
  for (const traceparent of [undefined, 'x', `00-${'a'.repeat(32)}-${balancer}-01`]) {
    t.match(callOf(ids, traceparent).span, { traceId, parentId: step }, `with ${traceparent}`)
  }
})

t.test('begins a trace where the call has none, or ids that are none', async (t) => {
  for (const given of [none, { ...none, traceId: '0'.repeat(32), spanId: step }]) {
    t.match(callOf(given).span, { traceId: /^[0-9a-f]{32}$/, parentId: null, attributes: { run_id: null } })
  }
  t.match(callOf(none, `00-${traceId}-${balancer}-01`).span, { traceId, parentId: balancer })
})

t.test('says why a call failed, and sends nothing of a trace that is not sampled', async (t) => {
  t.match(callOf(ids, undefined, 'failed', 'no').span, {
    attributes: { 'error.type': 'failed' },
    problem: 'no',
  })
  t.match(callOf(ids, undefined, 'aborted').span, { problem: 'aborted' })
  const { span, counted } = callOf(ids, `00-${traceId}-${balancer}-00`)
  t.equal(span, undefined)
  t.equal(counted.length, 1)
})
