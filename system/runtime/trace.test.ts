// Tests of trace context: read where it is valid, handed on with a span of its own.

import t from 'tap'
import { readTrace, traceHead, within } from './trace.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const parent = `00-${traceId}-${spanId}-01`

t.test('takes a valid parent with its state, and nothing of another', async (t) => {
  t.same(readTrace(parent, 'a=1'), { traceId, spanId, flags: '01', state: 'a=1' })
  t.same(readTrace(parent, undefined), { traceId, spanId, flags: '01', state: '' })
  t.match(readTrace(parent, `a=${'x'.repeat(600)}`), { state: '' })
  t.equal(readTrace(undefined, 'a=1'), null)
  t.equal(readTrace('x', 'a=1'), null)
})

t.test('puts what a call starts under the call’s span', async (t) => {
  const trace = { traceId, spanId, flags: '01', state: '' }
  t.same(within({ trace, spanId: '1111111111111111' }), { ...trace, spanId: '1111111111111111' })
  t.equal(within({ trace, spanId: null }), trace)
  t.equal(within({ trace: null, spanId: null }), null)
})

t.test('writes header lines', async (t) => {
  const trace = { traceId, spanId, flags: '00', state: 'a=1' }
  t.equal(
    traceHead(trace, '1111111111111111'),
    `traceparent: 00-${traceId}-1111111111111111-00\r\ntracestate: a=1\r\n`,
  )
  t.equal(traceHead({ ...trace, state: '' }, '1'), `traceparent: 00-${traceId}-1-00\r\n`)
})
