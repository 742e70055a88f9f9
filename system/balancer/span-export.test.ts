// Spans on their way: through the balancer to the pod, and to a collector.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { openTracer } from './span-export.ts'
import { type Owner, post, send, silentLog, startFor, startPod, until } from './test-support.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const traceparent = `traceparent: 00-${traceId}-${parentId}-01\r\n`

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: readonly { readonly key: string; readonly value: object }[]
}

async function startCollector(owner: Owner) {
  const state = { status: 200, spans: [] as OtlpSpan[], posts: 0 }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += String(part)
    state.posts++
    if (state.status === 200 && request.url === '/v1/traces') {
      state.spans.push(...JSON.parse(text).resourceSpans[0].scopeSpans[0].spans)
    }
    response.writeHead(state.status).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { state, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

t.test('puts its span between the client’s and the pod’s, and exports it', async (t) => {
  const { state, endpoint } = await startCollector(t)
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod], {}, undefined, { trace: { endpoint } })
  await send(t, balancer.port, post('{}', `${traceparent}tracestate: x=y\r\n`))
  await until(() => state.spans.length === 1)
  const [span] = state.spans
  t.match(span, { traceId, parentSpanId: parentId })
  const { headers } = pod.requests[0]!
  t.equal(headers['traceparent'], `00-${traceId}-${span!.spanId}-01`)
  t.equal(headers['tracestate'], 'x=y')
  t.match(
    span!.attributes.find(({ key }) => key === 'server.address'),
    { value: { stringValue: pod.key } },
  )
})

t.test('passes the client’s trace on untouched where tracing is off', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod])
  await send(t, balancer.port, post('{}', traceparent))
  t.equal(pod.requests[0]!.headers['traceparent'], `00-${traceId}-${parentId}-01`)
})

t.test('counts spans that a collector does not take, and goes on', async (t) => {
  const { state, endpoint } = await startCollector(t)
  const tracer = openTracer({ endpoint }, silentLog)
  t.teardown(() => tracer.close())
  const span = { traceId, spanId: parentId, parentId: null, sampled: true, startMs: 0 }
  const end = { durationMs: 1, method: 'POST', target: '/', status: 200, backend: null, reason: null }
  state.status = 500
  tracer.end(span, end)
  await tracer.flush()
  t.equal(tracer.dropped, 1)
  state.status = 200
  tracer.end(span, end)
  tracer.end({ ...span, sampled: false }, end)
  await tracer.flush()
  t.equal(state.spans.length, 1)
  t.equal(tracer.dropped, 1)
  for (let more = 0; more < 5_000; more++) tracer.end(span, end)
  t.equal(tracer.dropped, 1 + 5_000 - 4_096)
})

t.test('writes spans into the log where there is no collector', async (t) => {
  const lines: object[] = []
  const tracer = openTracer({ endpoint: null }, { ...silentLog, info: (fields) => lines.push(fields) })
  t.teardown(() => tracer.close())
  tracer.end(
    { traceId, spanId: parentId, parentId: null, sampled: true, startMs: 0 },
    { durationMs: 1, method: 'POST', target: '/', status: 503, backend: null, reason: 'gone' },
  )
  t.match(lines, [{ traceId, spanId: parentId, status: 503, reason: 'gone' }])
})
