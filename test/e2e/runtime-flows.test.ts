// Flows through the API: levels, YAML, skipIf, exact numbers; and the openai built-in.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { builtinOnly, oneStep, runFlow, send, startRuntime } from './runtime-helpers.ts'

const put = (id: string, data: unknown): object => ({
  id,
  component: '/put_blob',
  input: { data, blob_type: 'data' },
})

t.test('flows', async (t) => {
  const url = await startRuntime(t, builtinOnly).url()
  const post = (path: string, body: unknown, headers: object = {}) =>
    send(url, 'POST', `/api/v1${path}`, body, headers)

  await t.test('a thousand levels of values are refused, wherever they stand', async (t) => {
    const deep = (inner: string): string => `${'['.repeat(1000)}${inner}${']'.repeat(1000)}`
    const refused = { status: 400, text: /recursion limit exceeded at line 1 column/ }
    t.match(await post('/flows', `{"flow":{"output":${deep('{"$input":"$"}')}}}`), refused)
    const choice = `${'{"$if":true,"then":'.repeat(1000)}1${'}'.repeat(1000)}`
    t.match(await post('/flows', `{"flow":{"output":${choice}}}`), refused)
    const { flowId } = (await post('/flows', { flow: { output: { $input: '$' } } })).json
    t.match(await post('/runs', `{"flowId":"${flowId}","input":[${deep('1')}]}`), refused)
    t.match(await post('/flows', `output: ${deep('1')}`, { 'content-type': 'application/yaml' }), {
      status: 400,
      text: /recursion limit exceeded at line 1/,
    })
  })

  await t.test('YAML: the document, or the whole request', async (t) => {
    const yaml = { 'content-type': 'application/yaml' }
    const document =
      'name: y\nsteps:\n  - id: a\n    component: /put_blob\n    input: {data: 1.0, blob_type: data}\n'
    const stored = await post('/flows', `${document}output: { $step: a }\n`, yaml)
    t.match(stored.json, { stored: true })
    const shown = await send(url, 'GET', `/api/v1/flows/${stored.json.flowId}`)
    t.match(shown.text, /"data":1\.0,/)
    const asJson = await post('/flows', { flow: JSON.parse(shown.text.replace('1.0', '1')).flow })
    t.not(asJson.json.flowId, stored.json.flowId, '1 and 1.0 are two values')
    const dry = await post('/flows', 'flow:\n  output: 1\ndryRun: true\n', yaml)
    t.match(dry.json, { stored: false })
    t.match(await post('/flows', 'steps:\n  - component: /x\n', yaml), {
      status: 422,
      text: 'The flow does not fit: flow.steps[0]: missing field `id`',
    })
    t.match(await post('/flows', 'a: [', yaml), { status: 400, text: /as YAML: .* at line 1/ })
  })

  await t.test('skipIf is warned of, with what to write', async (t) => {
    const flow = { steps: [{ ...put('a', 1), skipIf: { $input: '$.off' } }], output: { $step: 'a' } }
    const { diagnostics } = (await post('/flows', { flow })).json
    const warning = diagnostics.diagnostics.find((one: { kind: string }) => one.kind === 'ignoredSkip')
    t.match(warning, {
      level: 'warning',
      path: '$.steps[0].skipIf',
      formatted: /runs in spite of its skipIf/,
    })
    const output = JSON.parse(warning.data.instead)
    const steps = [put('a', 1)]
    t.match((await runFlow(url, { steps, output }, [{ off: true }])).json.result, { result: null })
    t.match((await runFlow(url, { steps, output }, [{ off: false }])).json.result, {
      result: { blob_id: /./ },
    })
  })

  await t.test('numbers come back as they went in', async (t) => {
    const numbers =
      '[1.0,-0.0,1e-7,1000.0,18446744073709551615,-9223372036854775808,0.1,12345678901234567890,1.7976931348623157e+308]'
    const { flowId } = (await post('/flows', { flow: { output: { $input: '$' } } })).json
    const run = await post('/runs', `{"flowId":"${flowId}","input":[${numbers}]}`)
    t.match(run.text, `"result":{"outcome":"success","result":${numbers}}`)
  })
})

t.test('openai asks any service that speaks its API', async (t) => {
  const requests: { path?: string; key?: string; body: unknown }[] = []
  const replies: [number, string][] = [
    [200, '{"choices":[{"message":{"role":"assistant","content":"hello \\u00fc"}}]}'],
    [429, '{"error":{"message":"too many"}}'],
    [200, '{"choices":[]}'],
    [200, 'x'.repeat(17 * 1024 * 1024)],
    [0, ''],
  ]
  const service = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { url: path = '', headers } = request
    requests.push({ path, key: headers.authorization ?? '', body: JSON.parse(body) })
    const [status, text] = replies.shift() ?? [500, '']
    if (status === 0) return
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  t.teardown(() => {
    service.closeAllConnections()
    service.close()
  })
  const base = `http://127.0.0.1:${(service.address() as AddressInfo).port}/compatible/v1/`
  const env = { OPENAI_API_KEY: 'from-env', OPENAI_BASE_URL: base, OPENAI_MODEL: 'small' }
  const builtin = { plugin: 'builtin' }
  const routes = {
    '/hasty': [{ ...builtin, component: '/openai', timeouts: { stepMs: 300 } }],
    '/hasty-map': [{ ...builtin, component: '/map', timeouts: { stepMs: 300 } }],
    '/{*component}': [builtin],
  }
  const url = await startRuntime(t, { ...builtinOnly, routes }, [], env).url()
  const messages = [{ role: 'user', content: 'hi' }]
  const ask = async (more: object = {}) =>
    (await runFlow(url, oneStep('/openai', { $literal: { messages, ...more } }))).json.result
  t.same(await ask({ temperature: 0.5, max_tokens: 9, api_key: 'given' }), {
    outcome: 'success',
    result: { response: 'hello ü' },
  })
  t.match((await ask()).error.data.stack.at(-1), { error: /HTTP status 429: .*too many/ })
  t.match((await ask()).error.data.stack.at(-1), { error: /no content in/ })
  t.match((await ask()).error.data.stack.at(-1), { error: 'answer longer than 16777216 bytes' })
  const hasty = (await runFlow(url, oneStep('/hasty', { $literal: { messages } }))).json.result
  t.match(hasty.error.data, { reason: 'deadline', step: 's' })
  replies.push([0, ''])
  const workflow = oneStep('/openai', { $literal: { messages } })
  const map = await runFlow(url, oneStep('/hasty-map', { $literal: { workflow, items: [1] } }))
  t.match(map.json.result.error.data, { reason: 'deadline' })
  const { runs } = (await send(url, 'GET', `/api/v1/runs?parentRunId=${map.json.runId}`)).json
  t.match(runs, [{ status: 'cancelled' }], 'what a built-in has started ends with it')
  t.same(requests[0], {
    path: '/compatible/v1/chat/completions',
    key: 'Bearer given',
    body: { model: 'small', messages, max_tokens: 9, temperature: 0.5 },
  })
  t.match(requests[1], { key: 'Bearer from-env', body: { model: 'small', messages } })
  service.closeAllConnections()
  service.close()
  t.match((await ask()).error.data.stack.at(-1), { error: /cannot reach http.*ECONNREFUSED/ })
  const keyless = await startRuntime(t, builtinOnly).url()
  const literal = oneStep('/openai', { $literal: { messages } })
  t.match((await runFlow(keyless, literal)).json.result.error.data.stack.at(-1), { error: /OPENAI_API_KEY/ })
})
