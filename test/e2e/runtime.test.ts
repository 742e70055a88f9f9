// The runtime as a program: flows and runs over HTTP, component servers with callbacks, its start and its end.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import t from 'tap'
import { parseHistory } from '../../harness/history/parse.ts'
import { configFor, oneStep, runFlow, send, startRuntime, startWorker } from './runtime-helpers.ts'

t.test('runs flows with built-ins and components', async (t) => {
  const worker = await startWorker(t, (call) => call.answer(call.input))
  const runtime = startRuntime(t, configFor(worker.url))
  const url = await runtime.url()

  await t.test('is healthy, and says how to open up', async (t) => {
    for (const path of ['/health', '/api/v1/health']) {
      t.match(await send(url, 'GET', path), {
        status: 200,
        json: { status: 'healthy', version: '0.9.0', timestamp: /\+00:00$/ },
      })
    }
    t.match(await runtime.line(/--host 0\.0\.0\.0/), /--host 0\.0\.0\.0/)
    const admin = await runtime.adminUrl()
    t.match(await send(admin, 'GET', '/readyz'), { status: 200 })
    t.match((await send(admin, 'GET', '/metrics')).text, /stepflow_runtime_runs_in_flight 0/)
  })

  await t.test('keeps numbers and key order on the whole way', async (t) => {
    const text = '{"z":1.0,"10":18446744073709551615,"2":1e-7,"é":-0.0}'
    const flow = await send(url, 'POST', '/api/v1/flows', { flow: oneStep('/w/echo') })
    const body = `{"flowId":"${flow.json.flowId}","input":[${text}]}`
    const run = await send(url, 'POST', '/api/v1/runs', body)
    t.match(run.text, /^\{"runId":"[0-9a-f-]{36}","itemCount":1,"result":\{"outcome":"success","result":/)
    // The worker of this test is JavaScript, which loses some of it: what went out is what counts.
    const details = await send(url, 'GET', `/api/v1/runs/${run.json.runId}`)
    t.ok(details.text.endsWith(`"inputs":[${text}]}`), details.text)
    const stored = await runFlow(url, oneStep('/put_blob', { data: { b: 1, a: 2 }, blob_type: 'data' }))
    t.equal(
      stored.json.result.result.blob_id,
      'a1d46c3cdb4e5795c8d637f80daeb578ebb1a9a65dc1ed5f11f51794c3c89f3a',
    )
  })

  await t.test("answers one bare input, and shows the run's parts", async (t) => {
    const run = await runFlow(url, { name: 'n', ...oneStep('/w/echo') }, { a: 1 })
    t.match(run.json, { itemCount: 1, status: 'completed', result: { outcome: 'success', result: { a: 1 } } })
    const path = `/api/v1/runs/${run.json.runId}`
    t.match((await send(url, 'GET', path.toUpperCase().replace('/API/V1/RUNS', '/api/v1/runs'))).json, {
      runId: run.json.runId,
      flowName: 'n',
      items: { total: 1, completed: 1 },
    })
    t.match((await send(url, 'GET', `${path}/steps`)).json.steps.s, {
      component: '/w/echo',
      status: 'completed',
      result: { outcome: 'success', result: { a: 1 } },
    })
    t.match((await send(url, 'GET', `${path}/items`)).json, {
      itemCount: 1,
      items: [{ status: 'completed' }],
    })
    t.match((await send(url, 'GET', `${path}/flow`)).json, { flow: { name: 'n' } })
  })

  await t.test('answers 202 at once where that is preferred', async (t) => {
    const flow = await send(url, 'POST', '/api/v1/flows', { flow: oneStep('/w/echo') })
    const run = await send(
      url,
      'POST',
      '/api/v1/runs',
      { flowId: flow.json.flowId, input: [1] },
      { prefer: 'respond-async' },
    )
    t.match(run, { status: 202, json: { status: 'running', itemCount: 1 } })
    t.equal(run.headers.get('location'), `/api/v1/runs/${run.json.runId}`)
  })

  await t.test('sends what the protocol says', async (t) => {
    const run = await runFlow(url, oneStep('/w/echo'), [7])
    const request = worker.requests.at(-1)
    const observability = {
      run_id: run.json.runId,
      step_id: 's',
      trace_id: run.json.runId.replaceAll('-', ''),
    }
    t.match(request, {
      jsonrpc: '2.0',
      method: 'components/execute',
      params: { component: '/echo', input: 7, attempt: 1, observability },
    })
    t.same(
      worker.requests.slice(0, 2).map((each) => each['method']),
      ['initialize', 'initialized'],
    )
  })
})

t.test('hands a trace on, and has none of its own', async (t) => {
  const seen: unknown[] = []
  const replies: unknown[] = []
  const worker = await startWorker(t, async (call) => {
    if (call.component === '/asks') {
      const write = call.stream()
      const put = await call.callback(write, 'blobs/put', { data: oneStep('/w/x'), blob_type: 'flow' })
      const flow = put.message.result?.['blob_id']
      const run = await call.callback(write, 'runs/submit', { flowId: flow, inputs: [1], wait: true })
      replies.push(put.traceparent, run.traceparent)
      write({ id: call.id, result: { output: 1 } })
      call.response.end()
      return
    }
    seen.push([call.headers['traceparent'], call.headers['tracestate'], call.params['observability']])
    call.answer(1)
  })
  const url = await startRuntime(t, configFor(worker.url)).url()
  const { flowId } = (await send(url, 'POST', '/api/v1/flows', { flow: oneStep('/w/x') })).json
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'a=1' }
  await send(url, 'POST', '/api/v1/runs', { flowId, input: [1] }, headers)
  const { runId } = (await send(url, 'POST', '/api/v1/runs', { flowId, input: [1] })).json
  t.match(seen, [
    [new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`), 'a=1', { trace_id: traceId, span_id: /^[0-9a-f]{16}$/ }],
    [undefined, undefined, { trace_id: runId.replaceAll('-', '') }],
  ])
  const asking = (await send(url, 'POST', '/api/v1/flows', { flow: oneStep('/w/asks') })).json.flowId
  await send(url, 'POST', '/api/v1/runs', { flowId: asking, input: [1] }, headers)
  t.match(seen.at(-1), [new RegExp(traceId), 'a=1', { trace_id: traceId }], 'also to the runs of components')
  t.match(replies, [new RegExp(traceId), new RegExp(traceId)], 'and to the replies to their callbacks')
})

t.test('serves callbacks on a stream, concurrently and to the pod that asked', async (t) => {
  const pods: (string | undefined)[] = []
  const worker = await startWorker(t, async (call) => {
    const write = call.stream()
    const puts = await Promise.all(
      [1, 2, 3].map((data) => call.callback(write, 'blobs/put', { data, blob_type: 'data' })),
    )
    const gets = await Promise.all(
      puts.map((put) => call.callback(write, 'blobs/get', { blob_id: put.message.result?.['blob_id'] })),
    )
    const unknown = await call.callback(write, 'flows/evaluate', {})
    pods.push(...[...puts, ...gets, unknown].map((reply) => reply.pod))
    write({
      id: call.id,
      result: { output: [gets.map((get) => get.message.result?.['data']), unknown.message.error?.['code']] },
    })
    call.response.end()
  })
  const url = await startRuntime(t, configFor(worker.url)).url()
  const run = await runFlow(url, oneStep('/w/x'))
  t.same(run.json.result, { outcome: 'success', result: [[1, 2, 3], -32601] })
  t.same(pods, new Array(7).fill('pod-1'))
})

t.test('hundreds of streams are open at once', async (t) => {
  const waiting: (() => void)[] = []
  const count = 200
  const worker = await startWorker(t, (call) => {
    const write = call.stream()
    waiting.push(() => {
      write({ id: call.id, result: { output: call.input } })
      call.response.end()
    })
    if (waiting.length === count) for (const answer of waiting) answer()
  })
  const url = await startRuntime(t, configFor(worker.url)).url()
  const inputs = Array.from({ length: count }, (_, index) => index)
  const run = await runFlow(url, oneStep('/w/x'), inputs, { maxConcurrency: count })
  t.equal(run.json.status, 'completed')
  const { items } = (await send(url, 'GET', `/api/v1/runs/${run.json.runId}/items`)).json
  t.same(
    items.map((item: { result: { result: number } }) => item.result.result),
    inputs,
  )
})

t.test('says clearly how a call broke: step, attempt, pod, reason', async (t) => {
  const worker = await startWorker(t, (call) => {
    if (call.component === '/cut') {
      call.stream()({ id: 'x', method: 'log', params: {} })
      setImmediate(() => call.response.destroy())
    } else if (call.component === '/callback') {
      void call.callback(call.stream(), 'blobs/put', { data: 1, blob_type: 'data' })
    } else if (call.component === '/503') {
      const error = { code: -32000, message: 'no pod is ready', data: { reason: 'no_backend' } }
      call.response.writeHead(503).end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }))
    } else call.response.destroy()
  })
  worker.onReply = (_, response) => {
    const error = { code: -32000, message: 'pod-1 is gone', data: { reason: 'gone' } }
    response.writeHead(503).end(JSON.stringify({ jsonrpc: '2.0', id: null, error }))
  }
  const url = await startRuntime(t, configFor(worker.url)).url()
  const failureOf = async (component: string) => {
    const { json } = await runFlow(url, oneStep(component))
    t.equal(json.status, 'failed', component)
    t.match(json.result.error, { code: 500, message: 'step "s" failed' })
    return json.result.error.data
  }
  t.match(await failureOf('/w/cut'), { step: 's', attempt: 1, pod: 'pod-1', reason: 'reset' })
  t.match(await failureOf('/w/callback'), { pod: 'pod-1', reason: 'gone' })
  t.match(await failureOf('/w/503'), { reason: 'no_backend', componentError: { code: -32000 } })
  t.match(await failureOf('/w/other'), { reason: 'reset' })
  worker.close()
  t.match(await failureOf('/w/other'), { reason: 'refused' })
})

t.test(
  'waits for a component server at its start, not ready meanwhile, and gives up in the end',
  async (t) => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    await new Promise((resolve) => holder.close(resolve))
    const config = configFor(`http://127.0.0.1:${port}`)

    const patient = startRuntime(t, config)
    await patient.line(/component server not there yet/)
    t.match(await send(await patient.adminUrl(), 'GET', '/readyz'), { status: 503, text: /starting/ })
    await startWorker(t, (call) => call.answer(1), port)
    const url = await patient.url()
    t.match(await send(await patient.adminUrl(), 'GET', '/readyz'), { status: 200 })
    t.match((await runFlow(url, oneStep('/w/x'))).json, { result: { result: 1 } })

    const hasty = startRuntime(t, configFor('http://127.0.0.1:1'), ['--plugin-start-timeout-ms', '150'])
    t.equal(await hasty.exited, 2)
    t.match(
      hasty.stderr(),
      /^error: plugins\.w: error initializing plugin: .*refused|ECONNREFUSED.*ERR_PLUGIN/i,
    )
  },
)

t.test('ends gracefully: runs in flight end, new ones are refused, exit 0', async (t) => {
  let answer = (): void => {}
  let onCall = (): void => {}
  const called = new Promise<void>((resolve) => {
    onCall = resolve
  })
  const worker = await startWorker(t, (call) => {
    answer = () => call.answer('late')
    onCall()
  })
  const history = `${t.testdir()}/history.ndjson`
  const runtime = startRuntime(t, configFor(worker.url), [], { HISTORY_FILE: history, POD_NAME: 'rt-1' })
  const url = await runtime.url()
  const running = runFlow(url, oneStep('/w/x'))
  await called
  runtime.child.kill('SIGTERM')
  await runtime.line(/"stopping"/)
  const refused = await send(url, 'POST', '/api/v1/runs', { flowId: 'x', input: [] })
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('connection'), 'close')
  t.match(await send(await runtime.adminUrl(), 'GET', '/readyz'), { status: 503 })
  answer()
  t.match((await running).json, { status: 'completed', result: { result: 'late' } })
  t.equal(await runtime.exited, 0)
  const { records } = parseHistory(readFileSync(history, 'utf8'), { file: history })
  t.same(
    records.map((record) => record.kind),
    [
      'process.started',
      'run.accepted',
      'step.started',
      'call.sent',
      'process.stopping',
      'call.answered',
      'step.result',
      'run.ended',
    ],
  )
  t.match(records[0], { witness: 'runtime', pod: 'rt-1' })
})

t.test('refuses bad flags and a bad configuration, and binds nothing', async (t) => {
  const flags = startRuntime(t, {}, ['--prot', '1'])
  t.equal(await flags.exited, 2)
  t.match(flags.stderr(), /--prot: is not a flag/)
  const config = startRuntime(t, { plugins: {} })
  t.equal(await config.exited, 2)
  t.match(config.stderr(), /missing field `routes`/)
})
