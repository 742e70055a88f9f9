// Tests of a whole server in this process: calls, streams, callbacks, limits, its health and its end.

import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { request } from 'undici'
import {
  executeMessage,
  openCall,
  post,
  protocolHeaders,
  reply,
  type StreamEvent,
} from '../../test/e2e/component-server/peer.ts'
import { type NewRecord, noHistory } from '../program/history.ts'
import { builtInComponents } from './components/index.ts'
import { createRegistry } from './registry.ts'
import { ComponentError, type Context, component, Raw, type StandardSchema, Type } from './sdk.ts'
import { type ComponentServerOptions, startComponentServer } from './server.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const Any = Type.Object({})

/** A schema that takes its time. */
const evenLater: StandardSchema<unknown, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) =>
      typeof value === 'number' ? { value: value + 1 } : { issues: [{ message: 'no number' }] },
  },
}

interface Held {
  readonly context: Context
  finish(output: unknown): void
}

/** A server with the built-in components and a few that tests steer. */
async function setup(t: Test, options: Partial<ComponentServerOptions> = {}) {
  const records: NewRecord[] = []
  const held: Held[] = []
  const waiting: ((call: Held) => void)[] = []
  const hold = component({
    name: 'hold',
    input: Any,
    run: (_input, context) =>
      new Promise((finish) => {
        const call = { context, finish }
        const next = waiting.shift()
        if (next === undefined) held.push(call)
        else next(call)
      }),
  })
  const nextHeld = (): Promise<Held> => {
    const call = held.shift()
    return call === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(call)
  }
  const own = [
    hold,
    component({ name: 'later', input: Any, run: async () => ({ ok: true }) }),
    component({ name: 'never', input: Any, run: () => new Promise(() => {}) }),
    component({ name: 'echo', input: Raw(), output: Raw(), run: (input) => input }),
    component({ name: 'checked', input: evenLater, run: (value) => value }),
    component({ name: 'nothing', input: Any, run: () => undefined }),
    component({ name: 'unwritable', input: Any, run: () => 1n }),
    component({
      name: 'boom',
      input: Any,
      run() {
        throw new Error('x é')
      },
    }),
    component({
      name: 'typed',
      input: Any,
      run() {
        throw new ComponentError('amount: got -1', { code: -32005, data: { field: 'amount' } })
      },
    }),
  ]
  const server = await startComponentServer({
    host: '127.0.0.1',
    port: 0,
    instanceId: 'pod-1-0badcafe',
    registry: createRegistry([
      { from: 'built in', components: builtInComponents },
      { from: 'test', components: own },
    ]),
    history: { ...noHistory, enabled: true, record: (record) => void records.push(record) },
    log: quiet,
    maxBodyBytes: 10_000,
    maxHeldBytes: 100_000,
    maxCalls: 100,
    ...options,
  })
  t.teardown(() => server.close())
  const metric = async (name: string): Promise<string | undefined> =>
    (await server.metrics.registry.metrics()).split('\n').find((line) => line.startsWith(name))
  return { server, url: `http://${server.address}/`, records, nextHeld, metric }
}

const callback = (event: StreamEvent | undefined): StreamEvent => {
  if (event?.method === undefined) throw new Error(`no callback: ${JSON.stringify(event)}`)
  return event
}

t.test('answers a call without context by one JSON object', async (t) => {
  const { url, records, metric } = await setup(t)
  const answer = await post(url, executeMessage('/double', { value: 4 }))
  t.equal(answer.status, 200)
  t.equal(answer.text, '{"id":"e-1","result":{"output":{"result":8}},"jsonrpc":"2.0"}')
  t.match(answer.headers, { 'content-type': 'application/json', date: / GMT$/ })
  t.notOk('stepflow-instance-id' in answer.headers)
  t.match(records, [
    {
      kind: 'execute.received',
      requestId: 'e-1',
      component: '/double',
      attempt: 1,
      runId: 'r',
      stepId: 's',
      stream: false,
    },
    { kind: 'execute.answered', requestId: 'e-1', outcome: 'success' },
  ])
  t.equal(
    await metric('stepflow_component_server_calls_total{component="/double",outcome="success"}'),
    'stepflow_component_server_calls_total{component="/double",outcome="success"} 1',
  )
  t.equal(
    await metric('stepflow_component_server_call_duration_seconds_count{component="/double"}'),
    'stepflow_component_server_call_duration_seconds_count{component="/double"} 1',
  )
})

t.test('answers asynchronous, empty and whole-text outputs', async (t) => {
  const { url } = await setup(t)
  const outputOf = async (component: string, input: unknown = {}) =>
    /"output":(.*)},"jsonrpc"/.exec((await post(url, executeMessage(component, input))).text)?.[1]
  t.equal(await outputOf('/later'), '{"ok":true}')
  t.equal(await outputOf('/nothing'), 'null')
  t.equal(await outputOf('/checked', 1), '2')
  t.equal(await outputOf('/echo', [1, { '10': 'é', '2': null }]), '[1,{"2":null,"10":"é"}]')
  const text = JSON.stringify(executeMessage('/echo', 'X')).replace(
    '"X"',
    '{"10":1.0,"2":18446744073709551615}',
  )
  t.match((await post(url, text)).text, '{"output":{"10":1.0,"2":18446744073709551615}}')
})

t.test('answers failures with their codes', async (t) => {
  const { url, records } = await setup(t)
  const errorOf = async (component: string, input: unknown = {}) => {
    const { status, json } = await post(url, executeMessage(component, input))
    t.equal(status, 200)
    return (json as StreamEvent).error
  }
  t.strictSame(await errorOf('/boom'), { code: -32003, message: 'Component execution failed: x é', data: {} })
  t.strictSame(await errorOf('/typed'), {
    code: -32005,
    message: 'amount: got -1',
    data: { field: 'amount' },
  })
  t.match(await errorOf('/checked'), { code: -32002, message: 'Invalid input: $: no number' })
  t.match(await errorOf('/unwritable'), { code: -32003, message: /BigInt/ })
  t.strictSame(await errorOf('/double', { value: 'x' }), {
    code: -32002,
    message: 'Invalid input: $.value: Expected number, got "x"',
    data: { fields: ['$.value'] },
  })
  t.strictSame(await errorOf('/zz'), {
    code: -32001,
    message: "Component 'Component '/zz' not found' not found",
    data: { component: "Component '/zz' not found" },
  })
  t.match(records.at(-1), { kind: 'execute.answered', outcome: 'failed', error: 'component not found' })
})

t.test('answers the other methods', async (t) => {
  const { url } = await setup(t)
  const send = async (method: string, params: object = {}) =>
    (await post(url, { jsonrpc: '2.0', id: 3, method, params })).text
  t.equal(
    await send('initialize', { runtime_protocol_version: 1 }),
    '{"id":3,"result":{"server_protocol_version":1},"jsonrpc":"2.0"}',
  )
  const list = JSON.parse(await send('components/list')) as { result: { components: object[] } }
  t.match(list.result.components[0], {
    component: '/double',
    description: 'Twice a number',
    input_schema: { type: 'object', properties: { value: { type: 'number' } }, required: ['value'] },
    output_schema: { properties: { result: { type: 'number' } } },
  })
  t.match(JSON.parse(await send('components/info', { component: '/later' })), {
    result: { info: { component: '/later', description: null, output_schema: {} } },
  })
  t.match(await send('components/info', { component: '/zz' }), '"code":-32001')
  t.match(
    await send('components/infer_schema', { component: '/square', input_schema: {} }),
    '"result":{"output_schema":{"type":"object","required":["result"]',
  )
  t.equal(
    await send('blobs/put'),
    '{"id":3,"error":{"code":-32601,"message":"Method not found: Method.blobs_put","data":null},"jsonrpc":"2.0"}',
  )
  const { status, text } = await post(url, { jsonrpc: '2.0', method: 'initialized', params: {} })
  t.strictSame([status, text], [202, '""'])
})

t.test('checks path, method and headers before it reads a message', async (t) => {
  const { url } = await setup(t)
  const send = async (
    path: string,
    method: 'GET' | 'POST' | 'PUT' | 'HEAD',
    headers: Record<string, string>,
  ) => {
    const {
      statusCode,
      headers: answered,
      body,
    } = await request(new URL(path, url), {
      method,
      headers,
      ...(method === 'POST' || method === 'PUT' ? { body: 'x' } : {}),
    })
    return [statusCode, await body.text(), answered['allow']]
  }
  const type = protocolHeaders['content-type']
  t.strictSame(await send('/zz', 'POST', protocolHeaders), [404, '{"detail":"Not Found"}', undefined])
  t.strictSame(await send('/', 'GET', {}), [405, '{"detail":"Method Not Allowed"}', 'POST'])
  t.strictSame(await send('/health', 'POST', {}), [405, '{"detail":"Method Not Allowed"}', 'GET'])
  t.strictSame(await send('/health', 'HEAD', {}), [405, '', 'GET'])
  t.match(await send('/', 'POST', {}), [415, '{"error":"Content-Type must be application/json"}'])
  t.match(await send('/', 'POST', { 'content-type': type, accept: '*/*' }), [
    406,
    '{"error":"Accept header must include application/json and text/event-stream"}',
  ])
  t.match(await send('/?a=1', 'POST', protocolHeaders), [400, /"code":-32600/])
})

t.test('tells its health', async (t) => {
  const { url } = await setup(t)
  const { body } = await request(new URL('/health', url))
  t.match(await body.json(), {
    status: 'healthy',
    instanceId: 'pod-1-0badcafe',
    timestamp: /^\d{4}-\d\d-\d\dT.*Z$/,
    service: 'stepflow-gauntlet-component-server',
  })
})

t.test('stores and retrieves a blob over a stream, value by value as it came', async (t) => {
  const { url, records, metric } = await setup(t)
  await using call = await openCall(url, '/store_and_retrieve_blob', { data: { text: 'grüße', n: [1] } })
  t.equal(call.status, 200)
  t.match(call.headers, {
    'stepflow-instance-id': 'pod-1-0badcafe',
    'content-type': 'text/event-stream; charset=utf-8',
  })
  const put = callback(await call.next())
  t.match(put, {
    method: 'blobs/put',
    params: {
      data: { text: 'grüße', n: [1] },
      blob_type: 'data',
      observability: { run_id: 'r', step_id: 's' },
    },
  })
  t.equal(await metric('stepflow_component_server_streams_open'), 'stepflow_component_server_streams_open 1')
  t.equal(
    await metric('stepflow_component_server_callbacks_unanswered'),
    'stepflow_component_server_callbacks_unanswered 1',
  )
  t.equal(await reply(url, put.id, { blob_id: 'b1' }, '1.1 lb-a'), 202)
  const get = callback(await call.next())
  t.match(get, { method: 'blobs/get', params: { blob_id: 'b1' } })
  const text = `{"jsonrpc":"2.0","id":"${get.id}","result":{"data":{"10":1.0,"2":"ü"},"blob_type":"data"}}`
  t.equal((await post(url, text)).status, 202)
  t.match(await call.next(), { id: 'e-1', result: { output: { blob_id: 'b1' } } })
  t.equal(await call.next(), undefined)
  t.match(records, [
    { kind: 'execute.received', stream: true },
    { kind: 'callback.sent', requestId: 'e-1', callbackId: put.id, method: 'blobs/put' },
    { kind: 'callback.resolved', callbackId: put.id, outcome: 'result', via: '1.1 lb-a' },
    { kind: 'callback.sent', callbackId: get.id },
    { kind: 'callback.resolved', callbackId: get.id },
    { kind: 'execute.answered', requestId: 'e-1', outcome: 'success' },
  ])
  t.equal(await metric('stepflow_component_server_streams_open'), 'stepflow_component_server_streams_open 0')
})

t.test('writes events as one ASCII line each', async (t) => {
  const { url, server } = await setup(t)
  const socket = connect(server.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const body = JSON.stringify(executeMessage('/store_and_retrieve_blob', { data: '世\n😀' }))
  const { accept } = protocolHeaders
  socket.write(
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\naccept: ${accept}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  let text = ''
  while (!text.includes('\n\n')) text += String(await once(socket, 'data'))
  t.match(
    text,
    /\r\ntransfer-encoding: chunked\r\n\r\n[0-9a-f]+\r\ndata: \{"jsonrpc":"2\.0","id":"[^"]+","method":"blobs\/put"/,
  )
  t.match(text, '{"data":"\\u4e16\\n\\ud83d\\ude00","blob_type":"data"')
  t.match(text, /\n\n\r\n$/)
  t.ok(url)
})

t.test('tells validation errors on the stream', async (t) => {
  const { url } = await setup(t)
  await using call = await openCall(url, '/store_and_retrieve_blob', {})
  t.match(await call.next(), { id: 'e-1', error: { code: -32002, data: { fields: ['$.data'] } } })
  t.equal(await call.next(), undefined)
})

t.test('gives a component the ids of its call and its helpers', async (t) => {
  const { url, nextHeld } = await setup(t)
  await using call = await openCall(url, '/hold', {})
  const { context, finish } = await nextHeld()
  t.strictSame(context.observability, {
    traceId: '0'.repeat(32),
    spanId: '0'.repeat(16),
    runId: 'r',
    flowId: 'f',
    stepId: 's',
    attempt: 1,
  })
  t.equal(context.instanceId, 'pod-1-0badcafe')

  const evaluated = context.evaluateFlow({ name: 'sub' }, { x: 1 }, { maxConcurrency: 3 })
  const put = callback(await call.next())
  t.match(put.params, { data: { name: 'sub' }, blob_type: 'flow' })
  await reply(url, put.id, { blob_id: 'flow-1' })
  const submit = callback(await call.next())
  t.match(submit, {
    method: 'runs/submit',
    params: { flowId: 'flow-1', inputs: [{ x: 1 }], wait: true, maxConcurrency: 3 },
  })
  const done = (outcome: object) => ({
    runId: 'r-2',
    status: 'completed',
    results: [{ itemIndex: 0, result: outcome }],
  })
  await reply(url, submit.id, done({ outcome: 'success', result: 7 }))
  t.equal(await evaluated, 7)

  const failing = context.evaluateFlow('flow-1', 1)
  const second = callback(await call.next())
  t.match(second, { method: 'runs/submit', params: { flowId: 'flow-1' } })
  await reply(url, second.id, done({ outcome: 'failed', error: { code: 5, message: 'no luck' } }))
  await t.rejects(failing, { message: 'no luck', data: { code: 5 } })

  const short = context.evaluateBatch('flow-1', [1, 2])
  const third = callback(await call.next())
  await reply(url, third.id, done({ outcome: 'success', result: 7 }))
  await t.rejects(short, { message: /ended without a result for each input/ })
  await t.rejects(context.putBlob(undefined), { message: /data is undefined/ })
  finish('done')
  t.match(await call.next(), { result: { output: 'done' } })
  await t.rejects(context.putBlob(1), { message: 'the call has ended' })
})

t.test('aborts a call whose caller goes away', async (t) => {
  const { url, records, nextHeld, metric } = await setup(t)
  await using call = await openCall(url, '/hold', {})
  const { context, finish } = await nextHeld()
  const put = context.putBlob(1)
  const event = callback(await call.next())
  const aborted = once(context.signal, 'abort')
  call.hangUp()
  await aborted
  await t.rejects(put, { message: 'the caller went away' })
  await t.rejects(context.getBlob('b'), { message: 'the caller went away' })
  finish('lost')
  t.match(records.at(-1), { kind: 'execute.answered', requestId: 'e-1', outcome: 'aborted' })
  t.equal(await metric('stepflow_component_server_streams_open'), 'stepflow_component_server_streams_open 0')
  t.equal(await reply(url, event.id, { blob_id: 'b' }), 202)
  t.match(records.at(-1), { kind: 'callback.resolved', callbackId: event.id })
  t.equal(records.filter(({ kind }) => kind === 'execute.answered').length, 1)
})

t.test('aborts a call without context, too', async (t) => {
  const { url, server, records } = await setup(t)
  const controller = new AbortController()
  const sent = request(url, {
    method: 'POST',
    headers: protocolHeaders,
    body: JSON.stringify(executeMessage('/never', {})),
    signal: controller.signal,
  })
  while (records.length === 0) await new Promise(setImmediate)
  controller.abort()
  await t.rejects(sent)
  while (records.length < 2) await new Promise(setImmediate)
  t.match(records.at(-1), { kind: 'execute.answered', outcome: 'aborted' })
  t.ok(server)
})

t.test('refuses calls beyond its limit, and takes replies all the same', async (t) => {
  const { url, nextHeld, records } = await setup(t, { maxCalls: 1 })
  await using call = await openCall(url, '/hold', {})
  const { context, finish } = await nextHeld()
  const { status, json } = await post(url, executeMessage('/double', { value: 1 }, 'e-2'))
  t.equal(status, 503)
  t.match(json, {
    id: 'e-2',
    error: { code: -32000, message: /busy: 1 calls are open/, data: { reason: 'busy' } },
  })
  t.match(records.at(-1), { kind: 'execute.answered', requestId: 'e-2', outcome: 'failed' })
  const put = context.putBlob(1)
  await reply(url, callback(await call.next()).id, { blob_id: 'b' })
  t.equal(await put, 'b')
  finish(1)
  t.match(await call.next(), { result: { output: 1 } })
  t.equal((await post(url, executeMessage('/double', { value: 1 }))).status, 200)
})

t.test('refuses a body beyond its limit', async (t) => {
  const { url } = await setup(t)
  const { status, headers, text } = await post(url, ' '.repeat(10_001))
  t.equal(status, 413)
  t.equal(headers['connection'], 'close')
  t.match(text, 'Body is larger than 10000 bytes')
})

t.test('drains: takes calls and closes connections, waits for streams, then ends', async (t) => {
  const { server, url, nextHeld } = await setup(t)
  await using call = await openCall(url, '/hold', {})
  const { context, finish } = await nextHeld()
  let ended = false
  const drained = server.drain({ delayMs: 0, deadlineMs: 60_000 }).then(() => {
    ended = true
  })
  t.equal(server.notReady(), 'draining')
  const { status, headers } = await post(url, executeMessage('/double', { value: 1 }))
  t.strictSame([status, headers['connection']], [200, 'close'])
  const put = context.putBlob(1)
  await reply(url, callback(await call.next()).id, { blob_id: 'b' })
  t.equal(await put, 'b')
  t.equal(ended, false)
  finish('last')
  t.match(await call.next(), { result: { output: 'last' } })
  t.equal(await call.next(), undefined)
  await drained
  await t.rejects(post(url, executeMessage('/double', { value: 1 })), { code: 'ECONNREFUSED' })
})

t.test('drains: what is open at the deadline ends with an error that says so', async (t) => {
  const { server, url, nextHeld, records } = await setup(t)
  await using call = await openCall(url, '/hold', {})
  const { context } = await nextHeld()
  const put = context.putBlob(1)
  put.catch(() => {})
  callback(await call.next())
  const drained = server.drain({ delayMs: 60_000, deadlineMs: 1 })
  t.match(await call.next(), { error: { code: -32000, message: 'component server is stopping' } })
  t.equal(await call.next(), undefined)
  await drained
  t.equal(context.signal.aborted, true)
  await t.rejects(put, { message: 'component server is stopping' })
  t.match(records.at(-1), {
    kind: 'execute.answered',
    outcome: 'failed',
    error: 'component server is stopping',
  })
})

t.test('says which flag to change where it cannot listen', async (t) => {
  const { server } = await setup(t)
  await t.rejects(setup(t, { port: server.port }), { code: 'ERR_LISTEN', message: /--port/ })
})
