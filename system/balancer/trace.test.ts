// The balancer's span: begun under the client's, told to the pod, and ended for the collector.

import t from 'tap'
import { startCollector } from '../program/test-collector.ts'
import { post, send, startFor, startPod, until } from './test-support.ts'
import { beginSpan, endSpan, spanLine } from './trace.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const parent = `00-${traceId}-${parentId}-01`

t.test('puts its own span between the client and the pod, in the same trace', async (t) => {
  const span = beginSpan(parent)
  t.match(span, { traceId, parentId, sampled: true })
  t.match(span.spanId, /^[0-9a-f]{16}$/)
  t.not(span.spanId, parentId)
  t.equal(spanLine(span), `traceparent: 00-${span.traceId}-${span.spanId}-01\r\n`)
  t.equal(beginSpan(parent.replace(/01$/, '00')).sampled, false)
})

t.test('begins a trace where there is none, or a malformed one', async (t) => {
  for (const text of [null, `${parent}-more`]) {
    const span = beginSpan(text)
    t.equal(span.parentId, null)
    t.match(span.traceId, /^[0-9a-f]{32}$/)
  }
  t.not(beginSpan(null).traceId, beginSpan(null).traceId)
})

t.test('ends with what became of the request', async (t) => {
  const end = { durationMs: 1, method: 'POST', target: '/a?b', status: 200, backend: null, reason: null }
  t.match(endSpan(beginSpan(null), end), {
    name: 'POST',
    attributes: { 'url.path': '/a', 'server.address': null },
    problem: null,
  })
  t.equal(endSpan(beginSpan(null), { ...end, status: 503 }).problem, '')
  t.equal(endSpan(beginSpan(null), { ...end, status: 502, reason: 'reset' }).problem, 'reset')
})

t.test('tells the pod of its span, and the collector, unless the client wants no spans', async (t) => {
  const collector = await startCollector(t)
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod], {}, undefined, { trace: { collector } })
  await send(t, balancer.port, post('{}', `traceparent: ${parent.replace(/01$/, '00')}\r\n`))
  await send(t, balancer.port, post('{}', `traceparent: ${parent}\r\ntracestate: x=y\r\n`))
  await until(() => collector.spans.length > 0)
  t.match(collector.spans, [
    { traceId, parentSpanId: parentId, kind: 2, name: 'POST', attributes: { 'server.address': pod.key } },
  ])
  t.equal(collector.spans.length, 1)
  const { headers } = pod.requests[1]!
  t.equal(headers['traceparent'], `00-${traceId}-${collector.spans[0]!.spanId}-01`)
  t.equal(headers['tracestate'], 'x=y')
})

t.test('passes the client’s trace on untouched where tracing is off', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod])
  await send(t, balancer.port, post('{}', `traceparent: ${parent}\r\n`))
  t.equal(pod.requests[0]!.headers['traceparent'], parent)
})
