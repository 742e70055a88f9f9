// Tests of trace context: read where it is valid, handed on with a span of its own.

import t from 'tap'
import { readTrace, traceHead } from './trace.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parent = `00-${traceId}-b7ad6b7169203331-01`

t.test('takes a valid parent, also of a later version', async (t) => {
  t.same(readTrace(parent, 'a=1'), { traceId, flags: '01', state: 'a=1' })
  t.same(readTrace(`01${parent.slice(2)}-more`, undefined), { traceId, flags: '01', state: '' })
})

t.test('ignores what is not valid', async (t) => {
  for (const text of [
    undefined,
    '',
    'x',
    parent.toUpperCase(),
    `ff${parent.slice(2)}`,
    parent.replace(traceId, '0'.repeat(32)),
    parent.replace('b7ad6b7169203331', '0'.repeat(16)),
    `${parent}x`,
  ]) {
    t.equal(readTrace(text, undefined), null, String(text))
  }
  t.match(readTrace(parent, `a=${'x'.repeat(600)}`), { state: '' })
})

t.test('writes header lines', async (t) => {
  const trace = { traceId, flags: '00', state: 'a=1' }
  t.equal(
    traceHead(trace, '1111111111111111'),
    `traceparent: 00-${traceId}-1111111111111111-00\r\ntracestate: a=1\r\n`,
  )
  t.equal(traceHead({ ...trace, state: '' }, '1'), `traceparent: 00-${traceId}-1-00\r\n`)
})
