// Spans to a collector, or into the log: batches, what is lost, and the form they have.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { type EndedSpan, openSpans } from './spans.ts'
import { startCollector } from './test-collector.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const span: EndedSpan = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentId: null,
  name: 'step',
  kind: 'client',
  startMs: 1_000,
  durationMs: 0.5,
  attributes: { component: '/double', attempt: 1, pod: null },
  problem: null,
}

t.test('has the form of OTLP', async (t) => {
  const collector = await startCollector(t)
  const spans = openSpans({ collector }, quiet)
  t.teardown(() => spans.close())
  spans.add(span)
  spans.add({ ...span, parentId: '1111111111111111', kind: 'server', problem: 'broke' })
  spans.add({ ...span, kind: 'internal', problem: '' })
  await spans.flush()
  const times = { startTimeUnixNano: '1000000000', endTimeUnixNano: '1000500000' }
  const attributes = { component: '/double', attempt: '1' }
  const { traceId, spanId, name } = span
  t.strictSame(collector.spans, [
    { traceId, spanId, name, kind: 3, ...times, attributes, status: {}, service: 'stepflow-test' },
    {
      ...{ traceId, spanId, parentSpanId: '1111111111111111', name, kind: 2, ...times, attributes },
      ...{ status: { code: 2, message: 'broke' }, service: 'stepflow-test' },
    },
    { traceId, spanId, name, kind: 1, ...times, attributes, status: { code: 2 }, service: 'stepflow-test' },
  ])
})

t.test('counts spans that a collector does not take, or not fast enough, and goes on', async (t) => {
  const collector = await startCollector(t)
  const lost: object[] = []
  const spans = openSpans({ collector }, { ...quiet, warn: (fields) => lost.push(fields) })
  t.teardown(() => spans.close())
  collector.status = 500
  spans.add(span)
  await spans.flush()
  t.equal(spans.dropped, 1)
  collector.status = 200
  // A batch leaves when it is full, 4,096 spans wait meanwhile, and the rest is lost.
  for (let count = 0; count < 6_000; count++) spans.add(span)
  t.equal(spans.dropped, 1 + 6_000 - 1_024 - 4_096)
  await spans.flush()
  t.equal(collector.spans.length, 1_024 + 4_096)
  t.match(lost, [{ spans: 1 }, { spans: 6_000 - 1_024 - 4_096 }])
})

t.test('writes spans into the log where there is no collector', async (t) => {
  const lines: object[] = []
  const spans = openSpans({ collector: null }, { ...quiet, info: (fields) => lines.push(fields) })
  t.teardown(() => spans.close())
  spans.add({ ...span, problem: 'gone' })
  t.match(lines, [{ traceId: span.traceId, name: 'step', component: '/double', problem: 'gone' }])
})

t.test('cuts what a peer may have made long, and names in the log what all lines name', async (t) => {
  const long = 'x'.repeat(100_000)
  const own = { ...span, name: long, attributes: { component: long, run_id: 'r' }, problem: long }
  const collector = await startCollector(t)
  const spans = openSpans({ collector }, quiet)
  t.teardown(() => spans.close())
  spans.add(own)
  await spans.flush()
  const lines: object[] = []
  openSpans({ collector: null }, { ...quiet, info: (fields) => lines.push(fields) }).add(own)
  t.match(lines, [{ runId: 'r', traceId: span.traceId }])
  for (const sent of [collector.spans, lines]) t.ok(JSON.stringify(sent).length < 4_000)
})

t.test('a collector that cuts its answer off loses one batch, not all that follow', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}'))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const collector = { endpoint: `http://127.0.0.1:${port}/otlp/`, service: 'stepflow-test' }
  const spans = openSpans({ collector }, quiet)
  t.teardown(() => spans.close())
  for (const dropped of [1, 2]) {
    spans.add(span)
    await spans.flush()
    t.equal(spans.dropped, dropped)
  }
})
