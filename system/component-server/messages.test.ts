// Tests of messages: what each POST body means, and the words that refuse it, as Stepflow's worker has them.

import t from 'tap'
import { executeInput, readMessage, replyResult } from './messages.ts'

const read = (value: unknown) => readMessage(Buffer.from(JSON.stringify(value)))
const refusalOf = (body: unknown): string => {
  const message = typeof body === 'string' ? readMessage(Buffer.from(body)) : read(body)
  return message.kind === 'refused' ? message.message : `not refused: ${message.kind}`
}
const decode = (problem: string): string => `Failed to decode message: ${problem}`

const execute = {
  jsonrpc: '2.0',
  id: 'e-1',
  method: 'components/execute',
  params: {
    component: '/double',
    input: { value: 1 },
    attempt: 1,
    observability: { run_id: 'r', step_id: null },
  },
}

const changed = (params: object) => ({ ...execute, params: { ...execute.params, ...params } })
const without = (name: string) => changed({ [name]: undefined })

t.test('reads an execute with its ids', async (t) => {
  t.match(read(execute), {
    kind: 'execute',
    id: '"e-1"',
    requestId: 'e-1',
    component: '/double',
    input: { value: 1 },
    attempt: 1,
    ids: { runId: 'r', stepId: undefined, traceId: undefined },
  })
})

t.test('keeps ids as they were written', async (t) => {
  const idOf = (id: string) => {
    const message = readMessage(
      Buffer.from(`{"id":${id},"method":"initialize","params":{"runtime_protocol_version":1}}`),
    )
    return message.kind === 'request' ? message.id : message
  }
  t.equal(idOf('7'), '7')
  t.equal(idOf('"7"'), '"7"')
  t.equal(idOf('9007199254740993'), '9007199254740993')
  t.equal(idOf('"\\u00e9\\""'), '"é\\""')
})

t.test('tells notifications and replies', async (t) => {
  t.match(read({ method: 'initialized', params: {} }), { kind: 'notification', method: 'initialized' })
  t.match(read({ id: null, method: 'initialized', params: {} }), { kind: 'notification' })
  t.match(read({ ...execute, id: undefined }), { kind: 'notification', method: 'components/execute' })
  t.match(read({ id: 'x', result: null }), { kind: 'reply', id: 'x' })
  t.match(read({ id: 5, error: { code: 1, message: 'm' } }), { kind: 'reply', id: 5 })
})

t.test('refuses bodies that are no messages', async (t) => {
  t.equal(refusalOf(''), decode('Input data was truncated'))
  t.equal(refusalOf('{"a":'), decode('Input data was truncated'))
  t.equal(refusalOf('{"a":"b'), decode('Input data was truncated'))
  t.equal(refusalOf('{"é":x}'), decode('JSON is malformed: expected value (line 1, column 7)'))
  t.equal(refusalOf([1]), decode('Expected `object`, got `array`'))
  t.equal(refusalOf(1), decode('Expected `object`, got `int`'))
  t.equal(refusalOf(1.5), decode('Expected `object`, got `float`'))
  t.equal(refusalOf('null'), decode('Expected `object`, got `null`'))
  t.equal(refusalOf(true), decode('Expected `object`, got `bool`'))
  t.match(readMessage(Buffer.from([0xff, 0x7b, 0x7d])), {
    message: decode('JSON is malformed: invalid UTF-8'),
  })
})

t.test('refuses messages of the wrong shape', async (t) => {
  t.equal(refusalOf({}), "Notification missing 'method' field")
  t.equal(refusalOf({ id: 'x' }), "Invalid message: must have either 'id' or 'method'")
  t.equal(refusalOf({ id: 1, method: 'initialize' }), "Method request missing 'params' field")
  t.equal(refusalOf({ method: 'initialized' }), "Notification missing 'params' field")
  t.equal(refusalOf({ id: 1, method: 'foo', params: {} }), decode("Invalid enum value 'foo' - at `$.method`"))
  t.equal(
    refusalOf({ id: 1, method: 5, params: {} }),
    decode('Expected `str | null`, got `int` - at `$.method`'),
  )
  t.equal(refusalOf({ ...execute, jsonrpc: '1.0' }), decode("Invalid enum value '1.0' - at `$.jsonrpc`"))
  t.equal(refusalOf({ ...execute, jsonrpc: 2 }), decode('Expected `str`, got `int` - at `$.jsonrpc`'))
  for (const [id, type] of [
    [7.5, 'float'],
    [true, 'bool'],
    [{}, 'object'],
  ]) {
    t.equal(
      refusalOf({ ...execute, id }),
      decode(`Expected \`int | str | null\`, got \`${type}\` - at \`$.id\``),
    )
  }
  t.equal(refusalOf({ id: 'x', error: 5 }), decode('Expected `object`, got `int` - at `$.error`'))
  t.equal(
    refusalOf({ id: 'x', result: 1, error: {} }),
    "Method response for id 'x' cannot have both 'result' and 'error' fields",
  )
})

t.test('refuses params by the name of the field', async (t) => {
  t.equal(refusalOf(without('component')), decode('Object missing required field `component`'))
  t.equal(refusalOf(without('input')), decode('Object missing required field `input`'))
  t.equal(refusalOf(without('attempt')), decode('Object missing required field `attempt`'))
  t.equal(refusalOf(without('observability')), decode('Object missing required field `observability`'))
  t.equal(refusalOf(changed({ attempt: 'x' })), decode('Expected `int`, got `str` - at `$.attempt`'))
  t.equal(
    refusalOf(changed({ observability: null })),
    decode('Expected `object`, got `null` - at `$.observability`'),
  )
  t.equal(
    refusalOf(changed({ observability: { run_id: 5 } })),
    decode('Expected `str | null`, got `int` - at `$.observability.run_id`'),
  )
  t.equal(refusalOf({ ...execute, params: [] }), decode('Expected `object`, got `array`'))
  t.equal(
    refusalOf({ id: 1, method: 'initialize', params: {} }),
    decode('Object missing required field `runtime_protocol_version`'),
  )
  t.equal(
    refusalOf({ id: 1, method: 'components/info', params: { component: 1 } }),
    decode('Expected `str`, got `int` - at `$.component`'),
  )
  t.equal(
    refusalOf({ id: 1, method: 'components/infer_schema', params: { component: '/a' } }),
    decode('Object missing required field `input_schema`'),
  )
  t.match(read(changed({ input: null })), { kind: 'execute', input: null })
})

t.test('cuts a peer’s text in its refusal', async (t) => {
  t.ok(refusalOf({ id: 1, method: 'x'.repeat(10_000), params: {} }).length < 300)
})

t.test('gives the text of inputs and results', async (t) => {
  t.equal(executeInput('{"params":{"input":{"data":{"10":1.0,"2":1e3}}}}'), '{"data":{"10":1.0,"2":1000.0}}')
  t.equal(replyResult('{"id":1,"result":{"data":-0.0}}'), '{"data":-0.0}')
})
