// Every way a call can break becomes a flow error that names the step, the attempt and the pod; nothing runs twice.

import t from 'tap'
import { configFor, oneStep, runFlow, startRuntime, startWorker, type WorkerCall } from './runtime-helpers.ts'

const megabyte = 'x'.repeat(1024 * 1024)

/** How the component server of these tests breaks a call, by the component's name. */
const breaks: Readonly<Record<string, (call: WorkerCall) => void>> = {
  '/ends-early'(call) {
    call.stream()({ id: 'x', method: 'log', params: {} })
    call.response.end()
  },
  '/resets-stream'(call) {
    call.stream()({ id: 'x', method: 'log', params: {} })
    setImmediate(() => call.response.destroy())
  },
  '/resets': (call) => void call.response.destroy(),
  '/garbage-event'(call) {
    const write = call.stream()
    // What keeps a stream alive is no garbage.
    call.response.write(': comment\n\nevent: ping\ndata:\n\n')
    call.response.write('data: {"jsonrpc":"2.0","id":1,\n\n')
    write({ id: call.id, result: { output: 'too late' } })
  },
  '/huge-event'(call) {
    call.stream()
    call.response.write('data: "')
    let sent = 0
    const more = (): void => {
      while (sent++ < 50 && !call.response.destroyed) {
        if (!call.response.write(megabyte)) {
          call.response.once('drain', more)
          return
        }
      }
    }
    more()
  },
  '/huge-body': (call) => void call.response.end(`"${megabyte.repeat(17)}"`),
  '/400-text': (call) => void call.response.writeHead(400).end('Bad Request'),
  // Without JSON-RPC's envelope, as the real worker refuses what it cannot read.
  '/400-worker'(call) {
    call.response.writeHead(400, { 'content-type': 'application/json' })
    call.response.end('{"error":{"code":-32600,"message":"Method request missing params"}}')
  },
  '/404': (call) => void call.response.writeHead(404).end('{"detail":"Not Found"}'),
  '/rpc-error'(call) {
    const error = { code: -32003, message: 'no luck', data: { a: 1.5 } }
    call.response.writeHead(200, { 'content-type': 'application/json' })
    call.response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }))
  },
  '/garbage-body': (call) => void call.response.writeHead(200).end('<html>'),
  '/empty-body': (call) => void call.response.writeHead(204).end(),
  '/other-id'(call) {
    call.response.end('{"jsonrpc":"2.0","id":"other","result":{"output":1}}')
  },
  '/no-output'(call) {
    call.response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, result: { x: 1 } }))
  },
  '/silent': () => {},
  '/stalls': (call) => void call.stream(),
}

t.test('each break is a flow error of its own, and called once', async (t) => {
  const calls: string[] = []
  const worker = await startWorker(t, (call) => {
    calls.push(call.component)
    breaks[call.component]?.(call)
  })
  const w = { type: 'stepflow', url: worker.url }
  const url = await startRuntime(t, {
    // Deadlines of the plugin; those of routes are tested with routes.
    // Each alone: on a busy machine a head may take longer than either.
    plugins: {
      w,
      quick: { ...w, timeouts: { firstByteMs: 400 } },
      lively: { ...w, timeouts: { idleMs: 400 } },
    },
    routes: {
      '/w/{*component}': [
        { plugin: 'quick', componentAllow: ['/silent'] },
        { plugin: 'lively', componentAllow: ['/stalls'] },
        { plugin: 'w', componentDeny: ['/silent', '/stalls'] },
      ],
    },
  }).url()
  const expected: Readonly<Record<string, { reason: string; says: RegExp; pod?: string }>> = {
    '/ends-early': { reason: 'ended-early', says: /ended without receiving final response/, pod: 'pod-1' },
    '/resets-stream': { reason: 'reset', says: /ended without receiving final response/, pod: 'pod-1' },
    '/resets': { reason: 'reset', says: /error sending message/ },
    '/garbage-event': { reason: 'bad-event', says: /invalid message: \{"jsonrpc/, pod: 'pod-1' },
    '/huge-event': { reason: 'too-long', says: /message longer than 16777216 bytes/, pod: 'pod-1' },
    '/huge-body': { reason: 'too-long', says: /message longer than 16777216 bytes/ },
    '/400-text': { reason: 'bad-answer', says: /invalid message: Bad Request.*HTTP status 400/ },
    '/400-worker': { reason: 'bad-answer', says: /Method request missing params.*HTTP status 400/ },
    '/404': { reason: 'bad-answer', says: /Not Found.*HTTP status 404/ },
    '/rpc-error': { reason: 'component-error', says: /component server error\(-32003\): no luck/ },
    '/garbage-body': { reason: 'bad-answer', says: /invalid message: <html>/ },
    '/empty-body': { reason: 'bad-answer', says: /EOF.*HTTP status 204/ },
    '/other-id': { reason: 'foreign-answer', says: /answer to another request: "other"/ },
    '/no-output': { reason: 'bad-answer', says: /missing field `output`/ },
    '/silent': { reason: 'silent', says: /no first byte within 400 ms/ },
    '/stalls': { reason: 'silent', says: /no part of the answer within 400 ms/, pod: 'pod-1' },
  }
  t.same(Object.keys(expected), Object.keys(breaks))
  await Promise.all(
    Object.entries(expected).map(async ([component, { reason, says, pod }]) => {
      const { json } = await runFlow(url, oneStep(`/w${component}`))
      t.match(json, { status: 'failed', result: { outcome: 'failed' } }, component)
      const { error } = json.result
      t.match(error, { code: 500, message: 'step "s" failed', data: { step: 's', attempt: 1, reason } })
      t.equal(error.data.pod, pod, component)
      t.match(
        error.data.stack.map((each: { error: string }) => each.error).join(' ') + JSON.stringify(error),
        says,
      )
    }),
  )
  t.same(calls.sort(), Object.keys(breaks).sort(), 'nothing was called twice')
})

t.test(
  'a stream of callbacks without end breaks its call, and few connections serve many callbacks',
  async (t) => {
    const put = (id: number): string =>
      `data: ${JSON.stringify({ jsonrpc: '2.0', id, method: 'blobs/put', params: { data: id, blob_type: 'data' } })}\n\n`
    const many = 2_000
    let replies = 0
    let atOnce = 0
    let mostAtOnce = 0
    const worker = await startWorker(t, (call) => {
      const write = call.stream()
      if (call.component === '/endless') {
        for (let id = 0; id < 10_500; id++) call.response.write(put(id))
        return
      }
      for (let id = 0; id < many; id++) call.response.write(put(id))
      worker.onReply = (_, response) => {
        mostAtOnce = Math.max(mostAtOnce, ++atOnce)
        setImmediate(() => {
          atOnce--
          response.writeHead(202).end('""')
          if (++replies === many) write({ id: call.id, result: { output: replies } })
        })
      }
    })
    const url = await startRuntime(t, configFor(worker.url)).url()
    t.match((await runFlow(url, oneStep('/w/many'))).json.result, { outcome: 'success', result: many })
    t.ok(mostAtOnce <= 256, `${mostAtOnce} replies at once`)
    worker.onReply = () => {}
    t.match((await runFlow(url, oneStep('/w/endless'))).json.result.error.data, {
      reason: 'too-many-callbacks',
      pod: 'pod-1',
      stack: [{}, {}, { error: 'more than 10000 callbacks of the call are unanswered' }],
    })
  },
)

t.test('only onError: retry calls again, and says which attempt it was', async (t) => {
  const attempts: unknown[] = []
  const worker = await startWorker(t, (call) => {
    attempts.push(call.params['attempt'])
    if (call.component === '/third' && call.params['attempt'] === 3) call.answer('third time')
    else call.response.destroy()
  })
  const url = await startRuntime(t, configFor(worker.url)).url()
  const retried = (component: string): object => ({
    steps: [{ id: 's', component, onError: { action: 'retry' } }],
    output: { $step: 's' },
  })
  t.match((await runFlow(url, retried('/w/third'))).json.result, { result: 'third time' })
  t.same(attempts.splice(0), [1, 2, 3])
  t.match((await runFlow(url, retried('/w/never'))).json.result.error.data, { attempt: 3, reason: 'reset' })
  t.same(attempts, [1, 2, 3])
})

t.test('ids of callbacks keep their type, and replies may come in any order', async (t) => {
  const replies: unknown[] = []
  const worker = await startWorker(t, (call) => {
    const write = call.stream()
    const params = { data: 1, blob_type: 'data' }
    for (const id of [7, '7', 9_007_199_254_740_991]) write({ id, method: 'blobs/put', params })
    worker.onReply = ({ message }, response) => {
      replies.push((message as { id?: unknown }).id)
      response.writeHead(202).end('""')
      if (replies.length === 3) write({ id: call.id, result: { output: 'done' } })
    }
  })
  const url = await startRuntime(t, configFor(worker.url)).url()
  t.match((await runFlow(url, oneStep('/w/x'))).json.result, { result: 'done' })
  t.same(new Set(replies), new Set([7, '7', 9_007_199_254_740_991]))
})
