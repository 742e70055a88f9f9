// The runtime's API against its wire: every endpoint, what it refuses and in which words, built-ins, limits.

import { execFileSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import * as schemas from '../../system/runtime/api/schemas.ts'
import { parseJson } from '../../system/wire/json.ts'
import { checkShape } from '../../system/wire/json-shape.ts'
import {
  builtinOnly,
  configFor,
  oneStep,
  runFlow,
  send,
  startRuntime,
  startWorker,
} from './runtime-helpers.ts'

t.test('one runtime', async (t) => {
  const folder = t.testdir({ 'a.json': '{"b":1.0}', 'a.txt': 'text', 'bad.json': '{nope' })
  symlinkSync('/etc/hostname', `${folder}/link`)
  const runtime = startRuntime(t, { ...builtinOnly, workingDirectory: folder })
  const url = await runtime.url()
  const post = (path: string, body: unknown) => send(url, 'POST', `/api/v1${path}`, body)
  const get = (path: string) => send(url, 'GET', `/api/v1${path}`)
  const literal = (component: string, input: unknown) =>
    runFlow(url, oneStep(component, { $literal: input })).then((answer) => answer.json.result)
  const causes = (result: { error: { data: { stack: { error: string }[] } } }) =>
    result.error.data.stack.slice(1).map((each) => each.error)

  await t.test('refuses what it cannot read, with line and column', async (t) => {
    const flow = '{"flow":{"steps":[{"id":"a"}]}}'
    const cases: [string, string, number, string][] = [
      [
        '/flows',
        '{a:1}',
        400,
        'Failed to parse the request body as JSON: key must be a string at line 1 column 2',
      ],
      [
        '/flows',
        '',
        400,
        'Failed to parse the request body as JSON: EOF while parsing a value at line 1 column 0',
      ],
      [
        '/flows',
        flow,
        422,
        'Failed to deserialize the JSON body into the target type: flow.steps[0]: missing field `component` at line 1 column 28',
      ],
      [
        '/flows',
        '{"flow":{},"flow":{}}',
        422,
        'Failed to deserialize the JSON body into the target type: duplicate field `flow` at line 1 column 17',
      ],
      [
        '/runs',
        '{"flowId":"x","input":[],"maxConcurrency":1.5}',
        422,
        'Failed to deserialize the JSON body into the target type: maxConcurrency: invalid type: floating point `1.5`, expected usize at line 1 column 45',
      ],
    ]
    for (const [path, body, status, text] of cases) t.match(await post(path, body), { status, text })
    const bytes = (type: string) =>
      fetch(`${url}/api/v1/flows`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: Buffer.from('{"flow":{"name":"\xff","output":1}}', 'latin1'),
      }).then(async (answer) => [answer.status, await answer.text()])
    t.same(await bytes('application/json'), [
      400,
      'Failed to parse the request body as JSON: flow.name: invalid unicode code point at line 1 column 19',
    ])
    t.same(await bytes('application/yaml'), [
      400,
      'Failed to parse the request body as YAML: invalid unicode code point',
    ])
    const plain = await send(url, 'POST', '/api/v1/flows', '{}', { 'content-type': 'text/plain' })
    t.equal(plain.status, 415)
    t.equal((await post('/flows', `{"x":"${'y'.repeat(2 * 1024 * 1024)}"}`)).status, 413)
    t.match(await get('/runs/xyz'), {
      status: 400,
      text: /UUID parsing failed: invalid character.*found `x` at 1/,
    })
    t.match(await get('/runs?limit=x'), { status: 400, text: /limit: invalid digit found in string/ })
    t.match(await get('/runs?status=bogus'), {
      status: 400,
      text: /unknown variant `bogus`, expected one of/,
    })
    t.match(await get('/components?includeSchemas=1'), { status: 400, text: /not `true` or `false`/ })
  })

  await t.test('answers unknown paths, methods and origins as the real one', async (t) => {
    t.match(await get('/nope'), { status: 404, text: '' })
    t.match(await get('/health/'), { status: 404 })
    t.match(await get('/flows'), { status: 405, text: '' })
    t.match(await send(url, 'HEAD', '/api/v1/health'), { status: 200, text: '' })
    const options = await send(url, 'OPTIONS', '/api/v1/runs')
    t.equal(options.status, 200)
    t.equal(options.headers.get('access-control-allow-origin'), '*')
    t.equal(options.headers.get('allow'), 'POST,GET,HEAD')
  })

  await t.test('stores, shows and removes flows', async (t) => {
    const dry = await post('/flows', { flow: { name: 'dry' }, dryRun: true })
    t.match(dry.json, { stored: false, diagnostics: { numWarning: 1 } })
    t.match(await get(`/flows/${dry.json.flowId}`), {
      status: 404,
      json: { code: 404, message: 'Flow not found' },
    })
    const fatal = await post('/flows', { flow: { output: { $step: 'no' } } })
    t.match(fatal.json, { stored: false, diagnostics: { numFatal: 1 } })
    const flow = { name: 'n', output: { $input: 'x' }, examples: [{ name: 'e', input: 1 }] }
    const { flowId } = (await post('/flows', { flow })).json
    t.same((await get(`/flows/${flowId}`)).json, {
      flow: { ...flow, output: { $input: '$.x' } },
      flowId,
      allExamples: [{ name: 'e', input: 1 }],
    })
    t.equal((await send(url, 'DELETE', `/api/v1/flows/${flowId}`)).status, 204)
    t.equal((await send(url, 'DELETE', `/api/v1/flows/${flowId}`)).status, 404)
    t.match(await post('/runs', { flowId, input: [1] }), {
      status: 404,
      json: { code: 404, message: `Workflow '${flowId}' not found`, stack: [{ error: /not found/ }] },
    })
    const put = await runFlow(url, oneStep('/put_blob', { data: 1, blob_type: 'data' }))
    t.match(await get(`/flows/${put.json.result.result.blob_id}`), {
      status: 400,
      json: { message: 'Blob is not a flow' },
    })
  })

  await t.test('lists runs, newest first, by every filter', async (t) => {
    const first = await runFlow(url, { name: 'listed', output: 1 }, [1])
    const second = await runFlow(url, { name: 'listed', output: { $input: '$.no' } }, [1])
    const ids = async (query: string) =>
      (await get(`/runs?flowName=listed${query}`)).json.runs.map((run: { runId: string }) => run.runId)
    t.same(await ids(''), [second.json.runId, first.json.runId])
    t.same(await ids('&limit=1'), [second.json.runId])
    t.same(await ids('&offset=1'), [first.json.runId])
    t.same(await ids('&limit=0'), [])
    t.same(await ids('&status=failed'), [second.json.runId])
    t.same(await ids(`&rootRunId=${first.json.runId.toUpperCase()}`), [first.json.runId])
    t.same(await ids(`&parentRunId=${first.json.runId}`), [])
    t.match((await get('/runs?flowName=listed&limit=1')).json.runs[0], {
      flowName: 'listed',
      status: 'failed',
      items: { total: 1, completed: 0, running: 0, failed: 1, cancelled: 0 },
      createdAt: /^\d{4}-.*Z$/,
      completedAt: /Z$/,
      rootRunId: second.json.runId,
    })
  })

  await t.test('removes runs, and cancels none that has ended', async (t) => {
    const { runId } = (await runFlow(url, { output: 1 })).json
    t.match(await post(`/runs/${runId}/cancel`, undefined), {
      status: 409,
      json: { message: `Run '${runId}' cannot be cancelled (status: Completed)` },
    })
    t.equal((await send(url, 'DELETE', `/api/v1/runs/${runId}`)).status, 204)
    for (const path of ['', '/steps', '/items', '/flow'])
      t.equal((await get(`/runs/${runId}${path}`)).status, 404)
    t.equal((await send(url, 'DELETE', `/api/v1/runs/${runId}`)).status, 404)
  })

  await t.test('takes overrides, in both forms, and variables', async (t) => {
    const flow = oneStep('/put_blob', { data: 1, blob_type: 'data' })
    const patch = { value: { component: '/create_messages', input: { user_prompt: { $input: '$' } } } }
    const plain = await runFlow(url, flow, ['hi'], { overrides: { s: patch } })
    t.match(plain.json.result.result, { messages: [{ role: 'user', content: 'hi' }] })
    t.match((await runFlow(url, flow, ['hi'], { overrides: { steps: { s: patch } } })).json, {
      status: 'completed',
    })
    t.match((await get(`/runs/${plain.json.runId}`)).json, {
      overrides: { s: { $type: 'merge_patch', ...patch } },
    })
    t.match((await get(`/runs/${plain.json.runId}/steps`)).json, { steps: { s: { component: '/put_blob' } } })
    const unknown = await runFlow(url, flow, ['hi'], { overrides: { zz: patch } })
    t.same(Object.keys(unknown.json), ['runId', 'itemCount', 'status'])
    t.equal(unknown.json.status, 'failed')
    t.match(await runFlow(url, flow, ['hi'], { overrides: { s: { $type: 'x', value: 1 } } }), { status: 422 })

    const properties = { a: { default: 1.5 }, b: { type: 'string' }, c: {} }
    const schemas = { properties: { variables: { properties, required: ['c'] } } }
    const output = [{ $variable: 'a' }, { $variable: 'b' }, { $variable: '$.c.x', default: 'd' }]
    const withVariables = (more: object) => runFlow(url, { schemas, output }, [1], more)
    t.same((await withVariables({})).json.result.result, [1.5, '', 'd'])
    t.same((await withVariables({ variables: { a: 2, c: { x: 3 } } })).json.result.result, [2, '', 3])
    t.match((await runFlow(url, { schemas, output: { $variable: 'c' } })).json.result.error, {
      code: 1,
      message: 'Undefined variable: c',
    })
  })

  await t.test('says why an item failed, and completes a run without items', async (t) => {
    t.match((await runFlow(url, { output: { $input: '$.x.y' } }, [{}])).json.result, {
      outcome: 'failed',
      error: { code: 1, message: 'Input path $.x.y not found' },
    })
    t.match((await runFlow(url, oneStep('/nope'))).json.result.error.data.stack[1], {
      error: 'unknown component: /nope',
    })
    t.match((await runFlow(url, { output: 1 }, [])).json, { itemCount: 0, status: 'completed' })
    t.equal((await runFlow(url, { output: 1 }, [1], { maxConcurrency: 0 })).status, 400)
  })

  await t.test('built-ins: blobs', async (t) => {
    t.match(await literal('/get_blob', { blob_id: 'x' }), { outcome: 'failed' })
    t.same(causes(await literal('/get_blob', { blob_id: 'a'.repeat(64) })), [
      'error executing user-defined function',
      'internal error',
      `Blob not found: ${'a'.repeat(64)}`,
    ])
    t.same(causes(await literal('/put_blob', { data: 1, blob_type: 'x' })).slice(1), [
      'invalid input',
      'unknown variant `x`, expected `flow` or `data`',
    ])
    t.same(causes(await literal('/put_blob', { data: { steps: 1 }, blob_type: 'flow' })).slice(1), [
      'internal error',
      'Internal state store error',
      'Invalid flow data - could not deserialize',
    ])
  })

  await t.test('built-ins: flows in flows', async (t) => {
    const { flowId } = (await post('/flows', { flow: { output: { $input: '$.x' } } })).json
    const evaluated = await runFlow(url, oneStep('/eval', { flow_id: flowId, input: { x: 7 } }))
    t.match(evaluated.json.result.result, { result: { outcome: 'success', result: 7 } })
    const child = evaluated.json.result.result.run_id
    t.match((await get(`/runs/${child}`)).json, {
      rootRunId: evaluated.json.runId,
      parentRunId: evaluated.json.runId,
      flowId,
    })
    t.match(await literal('/eval', { flow_id: flowId, input: 5 }), {
      result: { result: { outcome: 'failed', error: { code: 1 } } },
    })
    const workflow = { output: { $input: '$.x' } }
    t.match(await literal('/map', { workflow, items: [{ x: 1 }, 5], max_concurrency: 1 }), {
      result: {
        successful: 1,
        failed: 1,
        results: [{ outcome: 'success', result: 1 }, { outcome: 'failed' }],
      },
    })
    const flow = { output: { next: { $input: '$' } } }
    t.match(await literal('/iterate', { flow, initial_input: 1, max_iterations: 3 }), {
      result: { result: 1, iterations: 3, terminated: true },
    })
    t.match(await literal('/iterate', { flow: { output: { result: 5, next: 6 } }, initial_input: 1 }), {
      result: { result: 5, iterations: 1, terminated: false },
    })
    t.match(await literal('/iterate', { flow: { output: 5 }, initial_input: 1 }), {
      error: { code: 400, message: "Workflow result must contain either 'result' or 'next' field" },
    })
    // One slot for the whole tree: a step that waits for its sub-run must not hold it.
    t.match(
      (await runFlow(url, oneStep('/eval', { flow_id: flowId, input: { x: 1 } }), [1], { maxConcurrency: 1 }))
        .json,
      {
        status: 'completed',
      },
    )
  })

  await t.test('a flow that runs itself for ever is refused at some depth', async (t) => {
    const output = { $step: 's' }
    const flow = (id: unknown) => ({
      steps: [{ id: 's', component: '/eval', input: { flow_id: id, input: { $input: '$' } } }],
      output,
    })
    const { flowId } = (await post('/flows', { flow: flow({ $input: '$.me' }) })).json
    const run = await post('/runs', { flowId, input: [{ me: flowId }] })
    t.equal(run.status, 200)
    t.match(run.text, /Run failed/)
  })

  await t.test('built-ins: files below the working directory only', async (t) => {
    const load = (path: string, more: object = {}) => literal('/load_file', { path, ...more })
    t.match(await load('a.json'), {
      result: {
        data: { b: 1 },
        metadata: { resolved_path: `${folder}/a.json`, size_bytes: 9, format: 'json' },
      },
    })
    t.match(await load('a.json', { format: 'text' }), { result: { data: '{"b":1.0}' } })
    t.match(await load('a.txt'), { result: { data: 'text', metadata: { format: 'text' } } })
    t.match(causes(await load('bad.json')).at(-1), /key must be a string at line 1 column 2/)
    mkdirSync(`${folder}/inner`)
    writeFileSync(`${folder}/inner/x.yaml`, 'a: 1.0')
    t.match(await load('inner/../inner/x.yaml'), { result: { data: { a: 1 } } })
    for (const path of ['/etc/hostname', '../../../../../../../../etc/hostname', 'link']) {
      t.equal(causes(await load(path)).at(-1), 'path is outside of the working directory', path)
    }
    execFileSync('mkfifo', [`${folder}/pipe`])
    t.equal(causes(await load('pipe')).at(-1), 'not a file')
    t.same(causes(await load('missing')), ['error executing user-defined function', 'invalid input'])
  })

  await t.test('built-ins: messages', async (t) => {
    t.match(await literal('/create_messages', { user_prompt: 'u', system_instructions: 's' }), {
      result: {
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'u' },
        ],
      },
    })
    t.match(causes(await literal('/openai', { messages: [] })).at(-1), /OPENAI_API_KEY/)
  })

  await t.test('lists components with schemas and paths, and describes itself', async (t) => {
    const { components } = (await get('/components')).json
    t.same(
      components.map((each: { component: string; paths: string[] }) => [each.component, each.paths]),
      ['create_messages', 'eval', 'get_blob', 'iterate', 'load_file', 'map', 'openai', 'put_blob'].map(
        (name) => [`/${name}`, [`/${name}`]],
      ),
    )
    t.type(components[0].input_schema, 'object')
    t.notOk('input_schema' in (await get('/components?includeSchemas=false')).json.components[0])
    const description = (await get('/openapi.json')).json
    t.match(description, { openapi: '3.1.0', info: { version: '0.9.0' }, servers: [{ url: /\/api\/v1$/ }] })
    t.same(Object.keys(description.paths).sort(), [
      '/components',
      '/flows',
      '/flows/{flow_id}',
      '/health',
      '/runs',
      '/runs/{run_id}',
      '/runs/{run_id}/cancel',
      '/runs/{run_id}/flow',
      '/runs/{run_id}/items',
      '/runs/{run_id}/steps',
    ])
    const references = JSON.stringify(description).match(/#\/components\/schemas\/\w+/g) ?? []
    for (const reference of new Set(references)) {
      t.ok(description.components.schemas[reference.slice('#/components/schemas/'.length)], reference)
    }
    t.match(
      (await send(url, 'GET', '/swagger-ui')).text,
      /id="create_run"[\s\S]*curl -X POST http:\/\/localhost:\d+\/api\/v1\/runs /,
    )
  })
})

t.test('what it answers is what its description says', async (t) => {
  const url = await startRuntime(t, builtinOnly).url()
  const fits = async (
    schema: Parameters<typeof checkShape>[0],
    method: string,
    path: string,
    body?: unknown,
  ) => {
    const answer = await send(url, method, `/api/v1${path}`, body)
    t.doesNotThrow(() => checkShape(schema, parseJson(answer.text), []), `${method} ${path}`)
    return answer.json
  }
  const flow = {
    ...oneStep('/put_blob', { data: 1, blob_type: 'data' }),
    examples: [{ name: 'e', input: 1 }],
  }
  const { flowId } = await fits(schemas.storeFlowResponse, 'POST', '/flows', { flow })
  await fits(schemas.flowResponse, 'GET', `/flows/${flowId}`)
  const { runId } = await fits(schemas.createRunResponse, 'POST', '/runs', { flowId, input: [1] })
  await fits(schemas.listRunsResponse, 'GET', '/runs')
  await fits(schemas.runDetails, 'GET', `/runs/${runId}`)
  await fits(schemas.listItemsResponse, 'GET', `/runs/${runId}/items`)
  await fits(schemas.listStepsResponse, 'GET', `/runs/${runId}/steps`)
  await fits(schemas.flowResponse, 'GET', `/runs/${runId}/flow`)
  await fits(schemas.listComponentsResponse, 'GET', '/components')
  await fits(schemas.healthResponse, 'GET', '/health')
  await fits(schemas.errorResponse, 'POST', `/runs/${runId}/cancel`)
})

t.test('beyond its limits it lets runs wait, refuses more, and forgets what is old', async (t) => {
  const held: (() => void)[] = []
  const arrived = new EventEmitter()
  const worker = await startWorker(t, (call) => {
    held.push(() => call.answer(1))
    arrived.emit('call')
  })
  const runtime = startRuntime(t, configFor(worker.url), [
    ...['--max-active-runs', '2', '--max-waiting-runs', '1'],
    ...['--keep-runs', '3', '--keep-blobs-bytes', '2048'],
  ])
  const url = await runtime.url()
  const { flowId } = (await send(url, 'POST', '/api/v1/flows', { flow: oneStep('/w/x') })).json
  const submit = () => send(url, 'POST', '/api/v1/runs', { flowId, input: [1] }, { prefer: 'respond-async' })
  const ids = [await submit(), await submit(), await submit()].map((answer) => answer.json.runId)
  const refused = await submit()
  t.match(refused, { status: 429, json: { code: 429 } })
  t.equal(refused.headers.get('retry-after'), '1')
  const admin = await runtime.adminUrl()
  t.match((await send(admin, 'GET', '/metrics')).text, /runs_in_flight 3\n[\s\S]*runs_waiting 1\n/)
  while (held.length < 2) await once(arrived, 'call')
  const third = once(arrived, 'call')
  for (const answer of held.splice(0)) answer()
  await third
  held.pop()?.()
  const status = async () => (await send(url, 'GET', `/api/v1/runs/${ids[2]}`)).json.status
  while ((await status()) === 'running') await new Promise((resolve) => setImmediate(resolve))
  t.equal(await status(), 'completed')

  const last = await runFlow(url, { output: 1 })
  t.equal((await send(url, 'GET', `/api/v1/runs/${last.json.runId}`)).status, 200)
  t.same(
    (await send(url, 'GET', '/api/v1/runs')).json.runs.map((run: { runId: string }) => run.runId),
    [last.json.runId, ids[2], ids[1]],
  )
  for (let index = 0; index < 4; index++) {
    await runFlow(url, oneStep('/put_blob', { data: 'x'.repeat(900) + index, blob_type: 'data' }))
  }
  t.equal((await send(url, 'GET', `/api/v1/flows/${flowId}`)).status, 404)
})

t.test('a run that computes for long lets others through', async (t) => {
  const runtime = startRuntime(t, builtinOnly)
  const url = await runtime.url()
  const input = { flow: { output: { next: 1 } }, initial_input: 1, max_iterations: 100_000 }
  const flow = oneStep('/iterate', { $literal: input })
  const { flowId } = (await send(url, 'POST', '/api/v1/flows', { flow })).json
  const { runId } = (
    await send(url, 'POST', '/api/v1/runs', { flowId, input: [1] }, { prefer: 'respond-async' })
  ).json
  t.match((await runFlow(url, { output: 'quick' })).json.result, { result: 'quick' })
  const cancelled = await send(url, 'POST', `/api/v1/runs/${runId}/cancel`)
  t.match(cancelled, { status: 200, json: { status: 'cancelled', items: { cancelled: 1 } } })
  t.match((await send(url, 'GET', `/api/v1/runs/${runId}/items`)).json, { items: [{ status: 'cancelled' }] })
})
