// W3C trace context.

import t from 'tap'
import { beginSpan, parseTraceparent, traceparentLine } from './trace.ts'

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

t.test('puts its own span between the client and the pod, in the same trace', async (t) => {
  const span = beginSpan(parent)
  t.match(span, { traceId: '0af7651916cd43dd8448eb211c80319c', parentId: 'b7ad6b7169203331', sampled: true })
  t.match(span.spanId, /^[0-9a-f]{16}$/)
  t.not(span.spanId, 'b7ad6b7169203331')
  t.equal(traceparentLine(span), `traceparent: 00-${span.traceId}-${span.spanId}-01\r\n`)
  t.equal(beginSpan(parent.replace(/01$/, '00')).sampled, false)
})

t.test('begins a trace where there is none, or a malformed one', async (t) => {
  for (const text of [
    null,
    '',
    'x',
    `${parent}-more`,
    parent.toUpperCase(),
    parent.replace(/^00/, 'ff'),
    parent.replace('b7ad6b7169203331', '0000000000000000'),
  ]) {
    const span = beginSpan(text)
    t.equal(span.parentId, null)
    t.match(span.traceId, /^[0-9a-f]{32}$/)
  }
  t.not(beginSpan(null).traceId, beginSpan(null).traceId)
})

t.test('reads later versions', async (t) => {
  t.match(parseTraceparent(`${parent.replace(/^00/, '01')}-more`), { sampled: true })
})
