// W3C trace context: what is read, what is ignored, and what is written.

import t from 'tap'
import { isSampled, newSpanId, newTraceId, parseTraceparent, traceparentLine } from './trace-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const parent = `00-${traceId}-${spanId}-01`

t.test('reads a valid parent, also of a later version', async (t) => {
  t.same(parseTraceparent(parent), { traceId, spanId, flags: '01' })
  t.same(parseTraceparent(`01${parent.slice(2)}-more`), { traceId, spanId, flags: '01' })
})

t.test('ignores what is not valid', async (t) => {
  for (const text of [
    '',
    'x',
    parent.toUpperCase(),
    `ff${parent.slice(2)}`,
    parent.replace(traceId, '0'.repeat(32)),
    parent.replace(spanId, '0'.repeat(16)),
    `${parent}x`,
    `${parent}-more`,
  ]) {
    t.equal(parseTraceparent(text), null, text)
  }
})

t.test('samples by the last bit of the flags', async (t) => {
  t.same(['00', '01', '02', '03'].map(isSampled), [false, true, false, true])
})

t.test('writes its line, and makes ids that are no one else’s', async (t) => {
  t.equal(traceparentLine({ traceId, spanId, flags: '00' }), `traceparent: 00-${traceId}-${spanId}-00\r\n`)
  t.match(newTraceId(), /^[0-9a-f]{32}$/)
  t.match(newSpanId(), /^[0-9a-f]{16}$/)
  t.not(newSpanId(), newSpanId())
})
