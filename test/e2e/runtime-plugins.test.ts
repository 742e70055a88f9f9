// The runtime's plugins that need no component server of their own: launched by a command, mock, mcp; routes.

import { fileURLToPath } from 'node:url'
import t from 'tap'
import { oneStep, runFlow, send, startRuntime, startWorker } from './runtime-helpers.ts'

const program = (name: string): string => fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))

t.test('a launched component server: its environment, its death and its end', async (t) => {
  const runtime = startRuntime(
    t,
    {
      plugins: {
        c: {
          type: 'stepflow',
          command: process.execPath,
          args: [program('launched-worker'), '$FROM', '${'.concat('UNSET:d}')],
          env: { VALUE: '${'.concat('FROM}') },
          healthCheck: { path: '/up', retryDelayMs: 20 },
        },
      },
      routes: { '/c/{*component}': [{ plugin: 'c' }] },
    },
    [],
    { FROM: 'here', SECRET: 'not for children' },
  )
  const url = await runtime.url()
  await runtime.line(/expected the line with the port/)
  const facts = async () => (await runFlow(url, oneStep('/c/facts'))).json.result.result
  const first = await facts()
  t.match(first, { env: ['VALUE'], args: ['here', 'd'], value: 'here', attempt: 1 })
  const died = await runFlow(url, oneStep('/c/die'))
  t.match(died.json.result.error.data, { reason: 'reset', attempt: 1 })
  await runtime.line(/component server died/)
  const second = await facts()
  t.not(second.pid, first.pid)
  runtime.child.kill('SIGTERM')
  t.equal(await runtime.exited, 0)
  t.throws(() => process.kill(second.pid, 0), { code: 'ESRCH' })
})

t.test('what waits for a command that does not start again ends by its deadline or the reason', async (t) => {
  const folder = t.testdir({})
  const launched = (name: string, stepMs: number): object => ({
    type: 'stepflow',
    command: process.execPath,
    args: [program('launched-worker'), 'a', 'b', `${folder}/${name}`],
    healthCheck: { path: '/up', retryDelayMs: 20 },
    timeouts: { stepMs },
  })
  const runtime = startRuntime(t, {
    plugins: { ending: launched('ending', 60_000), silent: launched('silent', 500) },
    routes: {
      '/ending/{*component}': [{ plugin: 'ending' }],
      '/silent/{*component}': [{ plugin: 'silent' }],
      '/patient/{*component}': [{ plugin: 'silent', timeouts: { stepMs: 60_000 } }],
    },
  })
  const url = await runtime.url()
  const error = async (component: string, input: unknown = null) =>
    (await runFlow(url, oneStep(component), [input])).json.result.error

  t.match((await error('/ending/die', 'end')).data, { reason: 'reset' })
  await runtime.line(/"plugin":"ending".*died/)
  const ended = await error('/ending/facts')
  t.match(ended, { message: 'step "s" failed', data: { reason: 'refused', step: 's', attempt: 1 } })
  t.match(ended.data.stack.at(-1), { error: /does not start: .*ended with 7 before it printed its port/ })

  t.match((await error('/silent/die', 'be silent')).data, { reason: 'reset' })
  await runtime.line(/"plugin":"silent".*died/)
  t.match((await error('/silent/facts')).data, { reason: 'deadline' })
  const { flowId } = (await send(url, 'POST', '/api/v1/flows', { flow: oneStep('/patient/facts') })).json
  const waiting = send(url, 'POST', '/api/v1/runs', { flowId, input: [null] })
  let runId: string | undefined
  while (runId === undefined) {
    runId = (await send(url, 'GET', '/api/v1/runs?status=running')).json.runs[0]?.runId
  }
  t.equal((await send(url, 'POST', `/api/v1/runs/${runId}/cancel`)).status, 200)
  t.match((await waiting).json, { status: 'cancelled' })
  runtime.child.kill('SIGTERM')
  t.equal(await runtime.exited, 0)
})

t.test('a command that does not start ends the runtime with its name', async (t) => {
  const config = (command: string, args: string[]) => ({
    plugins: { c: { type: 'stepflow', command, args } },
    routes: {},
  })
  const missing = startRuntime(t, config('/no/such/program', []))
  const silent = startRuntime(t, config(process.execPath, ['-e', 'process.exit(7)']))
  t.equal(await missing.exited, 2)
  t.match(missing.stderr(), /plugins\.c: cannot start \/no\/such\/program/)
  t.equal(await silent.exited, 2)
  t.match(silent.stderr(), /plugins\.c: ended with 7 before it printed its port/)
})

t.test('mock, mcp and routes', async (t) => {
  const worker = await startWorker(t, (call) => {
    if (call.component === '/slow') call.stream()
    else if (call.component !== '/silent') call.answer({ by: call.component })
  })
  const w = { plugin: 'w' }
  const failed = { outcome: 'failed', error: { code: 7, message: 'no', data: { a: 1 } } }
  const one = {
    input_schema: { type: 'object' },
    output_schema: {},
    behaviors: { a: { outcome: 'success', result: { r: 1 } }, b: failed, c: { error: 'boom' } },
  }
  const runtime = startRuntime(t, {
    plugins: {
      w: { type: 'stepflow', url: worker.url },
      m: { type: 'mock', components: { '/one': one } },
      tools: {
        type: 'mcp',
        command: process.execPath,
        args: [program('mcp-server')],
        env: { GREETING: 'hi' },
        timeouts: { stepMs: 300 },
      },
    },
    routes: {
      '/m/{*component}': [{ plugin: 'm' }],
      '/tools/{*component}': [{ plugin: 'tools' }],
      '/patient': [{ plugin: 'tools', component: '/shout', timeouts: { stepMs: 60_000 } }],
      '/pick': [
        { ...w, component: '/gpu', conditions: [{ path: '$.need', value: { k: [1, 2] } }] },
        { ...w, component: '/cpu' },
      ],
      '/short/{*component}': [{ ...w, timeouts: { stepMs: 50 } }],
      '/idle/{*component}': [{ ...w, timeouts: { idleMs: 50 } }],
      '/first/{*component}': [{ ...w, timeouts: { firstByteMs: 50 } }],
      '/only/{*component}': [{ ...w, componentAllow: ['/yes'] }],
    },
  })
  const url = await runtime.url()
  const result = async (component: string, input: unknown = null) =>
    (await runFlow(url, oneStep(component), [input])).json.result

  await t.test('mock components answer by their input', async (t) => {
    t.same(await result('/m/one', 'a'), { outcome: 'success', result: { r: 1 } })
    t.same(await result('/m/one', 'b'), {
      outcome: 'failed',
      error: { code: 7, message: 'no', data: { a: 1 } },
    })
    t.match((await result('/m/one', 'c')).error, { message: 'step "s" failed', data: { reason: 'boom' } })
    t.match((await result('/m/one', { d: 1 })).error.data.stack[0].attachments, [
      'Component: /one',
      /Component execution failed/,
      'No behavior defined for /one on {"d":1}',
    ])
    t.match((await result('/m/two', 'a')).error.data.stack[1], {
      error: 'error importing user-defined function',
    })
  })

  await t.test('tools of an MCP server are components', async (t) => {
    t.match(await result('/tools/shout', { text: 'a' }), {
      outcome: 'success',
      result: [{ type: 'text', text: 'A hi' }],
    })
    t.match(await result('/tools/fail', {}), {
      outcome: 'failed',
      error: { code: 500, message: "Tool 'fail' execution failed", data: [{ type: 'text', text: 'no' }] },
    })
  })

  await t.test(
    'an MCP server that dies fails its call and is started again; a tool has its deadline',
    async (t) => {
      t.match(await result('/tools/die', {}), { outcome: 'failed', error: { message: 'step "s" failed' } })
      await runtime.line(/MCP server died/)
      t.match(await result('/patient', { text: 'b' }), { outcome: 'success' })
      t.match(await result('/tools/hang', {}), {
        error: { data: { reason: 'deadline', stack: [{}, {}, { error: /timed out/i }] } },
      })
    },
  )

  await t.test('all plugins list what they have', async (t) => {
    const { components } = (await send(url, 'GET', '/api/v1/components')).json
    t.match(components, [
      { component: '/echo', paths: ['/short/echo', '/idle/echo', '/first/echo'].sort() },
      { component: '/fail', paths: ['/tools/fail'] },
      { component: '/one', paths: ['/m/one'] },
      { component: '/shout', description: 'In capitals', input_schema: { type: 'object' } },
    ])
  })

  await t.test('routes decide by the input, and have deadlines of their own', async (t) => {
    t.match(await result('/pick', { need: { k: [1, 2] } }), { result: { by: '/gpu' } })
    t.match(await result('/pick', { need: 1 }), { result: { by: '/cpu' } })
    t.match(await result('/only/yes'), { result: { by: '/yes' } })
    t.match((await result('/only/no')).error, { message: 'error routing component' })
    t.match((await result('/short/silent')).error.data, { reason: 'deadline' })
    t.match((await result('/first/silent')).error.data, { reason: 'silent' })
    t.match((await result('/idle/slow')).error.data, { reason: 'silent', pod: 'pod-1' })
  })

  runtime.child.kill('SIGTERM')
  t.equal(await runtime.exited, 0)
})

t.test('callbacks: runs within runs, and errors as the protocol says', async (t) => {
  const replies: Record<string, unknown>[] = []
  const flow = { name: 'inner', output: { $input: '$.x' } }
  const worker = await startWorker(t, async (call) => {
    const write = call.stream()
    const ask = async (method: string, params: object) => {
      const { message } = await call.callback(write, method, params)
      replies.push((message.result ?? message.error) as Record<string, unknown>)
      return message.result ?? {}
    }
    const { blob_id: flowId } = await ask('blobs/put', { data: flow, blob_type: 'flow' })
    await ask('runs/submit', { flowId, inputs: [{ x: 1 }, {}], wait: true })
    const { runId } = await ask('runs/submit', { flowId, inputs: [{ x: 1 }], maxConcurrency: null })
    await ask('runs/get', { runId, wait: true, includeResults: true, resultOrder: 'by_completion' })
    await ask('runs/submit', { flowId: 'nope', inputs: [] })
    await ask('runs/get', { runId: 'nope' })
    await ask('runs/get', { runId: '01a20a92-2640-76b3-b2c3-bbe0f86c2cac' })
    await ask('runs/get', {})
    await ask('blobs/get', { blob_id: 'nope' })
    await ask('blobs/put', { data: { steps: 5 }, blob_type: 'flow' })
    await ask('components/list', {})
    write({ id: call.id, result: { output: flowId } })
    call.response.end()
  })
  const runtime = startRuntime(t, {
    plugins: { w: { type: 'stepflow', url: worker.url } },
    routes: { '/w/{*component}': [{ plugin: 'w' }] },
  })
  const url = await runtime.url()
  const run = await runFlow(url, oneStep('/w/x'))
  const flowId = run.json.result.result
  const time = /^\d{4}-.*\+00:00$/
  const done = {
    itemIndex: 0,
    status: 'completed',
    result: { outcome: 'success', result: 1 },
    completedAt: /Z$/,
  }
  t.match(replies, [
    { blob_id: flowId },
    {
      flowId,
      flowName: 'inner',
      status: 'failed',
      items: { total: 2, completed: 1, failed: 1 },
      createdAt: time,
      completedAt: time,
      results: [done, { itemIndex: 1, status: 'failed' }],
    },
    { flowId, items: { total: 1 } },
    { status: 'completed', results: [done] },
    { code: -32011, message: "Not found: flow with ID 'nope'" },
    { code: -32012, message: "Invalid value for field 'run_id': expected valid UUID" },
    { code: -32000, message: 'Failed to get run' },
    { code: -32602, message: 'Invalid parameters for request runs/get' },
    { code: -32000, message: 'Failed to get blob' },
    { code: -32000, message: 'Failed to put blob' },
    { code: -32601, message: 'Method not found: components/list' },
  ])
  t.equal(replies.length, 11)
})
