// One case for each deviation that generated flows do not reach, or not each time; and the API's other corners.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Request } from './exchange.ts'
import { type PairOptions, runScript, type Script, type Side } from './pair.ts'
import { type Act, answer, resultOf } from './staged-worker.ts'

export interface Case {
  /** As the table's first column names it. */
  readonly name: string
  /** Default: the pair that all share. */
  readonly options?: PairOptions
  readonly script: Script
}

const post = (
  path: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Request => ({
  method: 'POST',
  path,
  body,
  headers,
})
const get = (path: string): Request => ({ method: 'GET', path })

/** A flow of one step `s` whose result is the output. */
const oneStep = (component: string, input = '{"$input":"$"}', more = ''): string =>
  `{"steps":[{"id":"s","component":"${component}","input":${input}${more}}],"output":{"$step":"s"}}`

/** Stores a flow without a note and returns its id. */
async function store(side: Side, flow: string): Promise<string> {
  const { text } = await side.ask(post('/flows', `{"flow":${flow}}`))
  return JSON.parse(text).flowId
}

const run = async (side: Side, flow: string, fields = '"input":[1],"maxConcurrency":10'): Promise<string> => {
  const { status, text } = await side.send(post('/runs', `{"flowId":"${await store(side, flow)}",${fields}}`))
  return status === 200 ? JSON.parse(text).runId : ''
}

const simple = (flow: string, input = '[1]'): Script => runScript(flow, { input })

/** An event stream; the act writes its events. */
const streaming =
  (write: (id: string, send: (text: string) => void) => void): Act =>
  ({ id, response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'stepflow-instance-id': 'pod-1' })
    write(id, (text) => void response.write(text))
    response.end()
  }

/** Resolves when `when` holds, for what nobody announces; false after a second. */
async function eventually(when: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let left = 50; left > 0; left--) {
    if (await when()) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

const map = `{"workflow":{"$literal":{"output":{"$input":"$"}}},"items":[1]}`

const launched = (args: readonly string[] = []): PairOptions => ({
  config: () => ({
    plugins: {
      c: {
        type: 'stepflow',
        command: 'setpriv',
        args: [
          '--pdeathsig',
          'KILL',
          process.execPath,
          fileURLToPath(new URL('launched-worker.ts', import.meta.url)),
          ...args,
        ],
        env: { PATH: '${'.concat('PATH}') },
      },
    },
    routes: { '/c/{*component}': [{ plugin: 'c' }] },
  }),
})

const routed = (rule: object): PairOptions => ({
  config: (url) => ({
    plugins: { w: { type: 'stepflow', url } },
    routes: { '/w/{*component}': [{ plugin: 'w', ...rule }] },
  }),
})

/** A run that the component holds until `free`. */
function holding(): { options: PairOptions; free: (side: Side) => void } {
  const held = new Map<string, () => void>()
  const hold: Act = ({ id, response }, worker) => {
    held.set(worker.url, () => answer(response, resultOf(id, '1')))
  }
  return {
    options: { staging: { acts: { '/hold': hold } } },
    free: (side) => held.get(side.worker.url)?.(),
  }
}

const isHeld = (side: Side) => () => side.worker.got.some(({ message }) => message.includes('"/hold"'))

function cancelCase(): Case {
  const { options, free } = holding()
  return {
    name: 'cancel',
    options,
    async script(side) {
      const created = side.ask(
        post('/runs', `{"flowId":"${await store(side, oneStep('/w/hold'))}","input":[1]}`),
      )
      await eventually(isHeld(side))
      const { runId } = JSON.parse((await side.ask(get('/runs'))).text).runs[0]
      await side.send({ method: 'DELETE', path: `/runs/${runId}` })
      await side.send({ method: 'POST', path: `/runs/${runId}/cancel` })
      side.note('POST /runs, waiting', (await created).text)
      free(side)
      const status = async (): Promise<string> =>
        JSON.parse((await side.ask(get(`/runs/${runId}`))).text).status
      await eventually(async () => (await status()) !== 'cancelled')
      side.note('cancelled, later', await status())
    },
  }
}

function deleteAtWorkCase(): Case {
  const { options, free } = holding()
  return {
    name: 'delete a flow at work',
    options,
    async script(side) {
      const id = await store(side, oneStep('/w/hold'))
      const created = side.ask(post('/runs', `{"flowId":"${id}","input":[1]}`))
      await eventually(isHeld(side))
      await side.send({ method: 'DELETE', path: `/flows/${id}` })
      free(side)
      await created
    },
  }
}

function overloadCase(): Case {
  const { options, free } = holding()
  return {
    name: 'overload',
    options: { ...options, ourArgs: ['--max-active-runs', '1', '--max-waiting-runs', '0'] },
    async script(side) {
      const held = side.ask(
        post('/runs', `{"flowId":"${await store(side, oneStep('/w/hold'))}","input":[1]}`),
      )
      await eventually(isHeld(side))
      await run(side, oneStep('/w/echo'))
      free(side)
      await held
    },
  }
}

const two = '{"a":{"$step":"a"},"b":{"$step":"b"}}'
const twoSteps = (component: string): string =>
  `{"steps":[{"id":"a","component":"${component}"},{"id":"b","component":"${component}"}],"output":${two}}`

/** Counts how many calls are there at once: the first waits a little for the second. */
function meetCase(): Case {
  const most = new Map<string, number>()
  const open = new Map<string, (() => void)[]>()
  const meet: Act = ({ id, response }, { url }) => {
    const list = open.get(url) ?? []
    open.set(url, list)
    list.push(() => answer(response, resultOf(id, 'null')))
    most.set(url, Math.max(most.get(url) ?? 0, list.length))
    setTimeout(() => list.shift()?.(), 200)
  }
  return {
    name: 'no maxConcurrency',
    options: { staging: { acts: { '/meet': meet } } },
    async script(side) {
      await run(side, twoSteps('/w/meet'), '"input":[1]')
      side.note('steps at once', String(most.get(side.worker.url)))
    },
  }
}

const flaky: Act = ({ id, response }, worker) => {
  const calls = worker.got.filter(({ message }) => message.includes('"/flaky"')).length
  if (calls > 1) answer(response, resultOf(id, String(calls)))
  else answer(response, `{"jsonrpc":"2.0","id":"${id}","error":{"code":-32000,"message":"once"}}`)
}

const stray: Act = async ({ id, response }, worker) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'stepflow-instance-id': 'pod-1' })
  response.write(`data: {"jsonrpc":"2.0","id":"stray","method":"flows/evaluate","params":{}}\n\n`)
  const silence = new Promise<string>((resolve) => setTimeout(() => resolve('null'), 300))
  const reply = await Promise.race([worker.reply('stray'), silence])
  response.end(`data: ${resultOf(id, JSON.stringify(JSON.parse(reply)?.error ?? null))}\n\n`)
}

const streams: Readonly<Record<string, Act>> = {
  '/crlf': streaming((id, send) => send(`data: ${resultOf(id, '1')}\r\n\r\n`)),
  '/tight': streaming((id, send) => send(`data:${resultOf(id, '2')}\n\n`)),
  '/lines': streaming((id, send) =>
    send(`data: ${resultOf(id, '3').replace('"result"', '\ndata: "result"')}\n\n`),
  ),
  '/bare': streaming((id, send) => send(`data: ${resultOf(id, '4')}`)),
}

const caseOfStream = (name: string): Case => ({
  name: 'stream framing',
  options: { staging: { acts: streams } },
  script: simple(oneStep(`/w${name}`)),
})

/** Cases that rows of the table name. */
const named: readonly Case[] = [
  {
    name: 'delete a flow',
    async script(side) {
      await side.send({ method: 'DELETE', path: `/flows/${await store(side, '{"output":1}')}` })
    },
  },
  deleteAtWorkCase(),
  {
    name: 'delete no flow',
    script: async (side) => void (await side.send({ method: 'DELETE', path: '/flows/x' })),
  },
  {
    name: 'deleted flow',
    async script(side) {
      const id = await store(side, '{"output":2}')
      await side.ask({ method: 'DELETE', path: `/flows/${id}` })
      await side.send(get(`/flows/${id}`))
    },
  },
  {
    name: 'delete a run',
    async script(side) {
      await side.send({ method: 'DELETE', path: `/runs/${await run(side, '{"output":1}')}` })
    },
  },
  {
    name: 'deleted run',
    async script(side) {
      const id = await run(side, '{"output":1}')
      await side.ask({ method: 'DELETE', path: `/runs/${id}` })
      await side.send(get(`/runs/${id}`))
    },
  },
  { name: 'no items', script: async (side) => void (await run(side, '{"output":1}', '"input":[]')) },
  {
    name: 'maxConcurrency 0',
    script: async (side) => void (await run(side, '{"output":1}', '"input":[1],"maxConcurrency":0')),
  },
  {
    name: 'late need of an input',
    script: simple(
      `{"steps":[{"id":"a","component":"/w/echo","input":true},{"id":"b","component":"/w/echo","input":2},{"id":"c","component":"/w/echo","input":{"$if":{"$step":"a"},"then":{"$step":"b"}}}],"output":{"$step":"c"}}`,
    ),
  },
  {
    name: 'late need of an output',
    script: simple(
      `{"steps":[{"id":"a","component":"/w/echo","input":true},{"id":"b","component":"/w/echo","input":2}],"output":{"$if":{"$step":"a"},"then":{"$step":"b"}}}`,
    ),
  },
  meetCase(),
  {
    name: 'wrapped overrides',
    script: async (side) =>
      void (await run(
        side,
        oneStep('/w/echo'),
        '"input":[1],"overrides":{"steps":{"s":{"value":{"input":5}}}}',
      )),
  },
  { name: '$from', script: simple('{"output":{"$from":{"workflow":"input"},"path":"a"}}', '[{"a":1}]') },
  { name: 'single input', script: async (side) => void (await run(side, '{"output":1}', '"input":{"a":1}')) },
  { name: 'root health', script: async (side) => void (await side.send({ ...get('/health'), root: true })) },
  { name: 'names with marks', script: simple('{"output":{"$input":"$[\'a.b\']"}}', '[{"a.b":1}]') },
  { name: 'a path of one quote', script: simple('{"output":{"$input":"$[\']"}}') },
  {
    name: 'variables of no object',
    script: simple('{"schemas":{"properties":{"variables":1}},"output":{"$variable":"v"}}'),
  },
  {
    name: 'metadata order',
    script: simple(
      `{"output":1,"metadata":{${['h', 'g', 'f', 'e', 'd', 'c', 'b', 'a'].map((key) => `"${key}":1`).join(',')}}}`,
    ),
  },
  {
    name: 'retry',
    options: { staging: { acts: { '/flaky': flaky } } },
    script: simple(oneStep('/w/flaky', '1', ',"onError":{"action":"retry"}')),
  },
  {
    name: 'launched',
    options: launched(),
    async script(side) {
      await side.ask(post('/runs', `{"flowId":"${await store(side, oneStep('/c/refuse'))}","input":[1]}`))
      const file = join(side.folder, 'calls')
      side.note('calls of a refusing component', existsSync(file) ? readFileSync(file, 'utf8') : '')
    },
  },
  {
    name: 'default of a variable',
    options: launched(['${'.concat('UNSET:-d}')]),
    script: simple(oneStep('/c/args')),
  },
  ...Object.keys(streams).map(caseOfStream),
  {
    name: 'initialized 200',
    options: { staging: { initializedStatus: 200 }, mayNotStart: true },
    script: async () => {},
  },
  {
    name: 'foreign id',
    options: {
      staging: { acts: { '/foreign': ({ response }) => answer(response, resultOf('another', '1')) } },
    },
    script: simple(oneStep('/w/foreign')),
  },
  {
    name: 'unknown callback',
    options: { staging: { acts: { '/stray': stray } } },
    script: simple(oneStep('/w/stray')),
  },
  {
    name: 'deny of one rule',
    options: routed({ componentDeny: ['/echo'] }),
    script: simple(oneStep('/w/echo')),
  },
  {
    name: 'condition on nothing',
    options: routed({ conditions: [{ path: '$.m', value: 1 }] }),
    script: simple(oneStep('/w/echo', '{"a":1}')),
  },
  {
    name: 'url with a variable',
    options: {
      mayNotStart: true,
      env: { SCHEME: 'http' },
      config: (url) => ({
        plugins: { w: { type: 'stepflow', url: url.replace('http', '${'.concat('SCHEME}')) } },
        routes: { '/w/{*component}': [{ plugin: 'w' }] },
      }),
    },
    script: simple(oneStep('/w/echo')),
  },
  cancelCase(),
  {
    name: 'component lists',
    options: { staging: { listFails: true } },
    script: async (side) => void (await side.send(get('/components'))),
  },
  { name: 'components', script: async (side) => void (await side.send(get('/components'))) },
  {
    name: 'flow of a sub-run',
    async script(side) {
      const id = await run(side, oneStep('/map', map))
      const { runs } = JSON.parse((await side.send(get(`/runs?parentRunId=${id}`))).text)
      await side.send(get(`/runs/${runs[0].runId}/flow`))
    },
  },
  {
    name: 'eval',
    script: simple(
      `{"steps":[{"id":"p","component":"/put_blob","input":{"data":{"$literal":{"output":1}},"blob_type":"flow"}},{"id":"e","component":"/eval","input":{"flow_id":{"$step":"p","path":"blob_id"},"input":1}}],"output":{"$step":"e"}}`,
    ),
  },
  {
    name: 'overrides that do not fit',
    async script(side) {
      for (const override of [
        '"zz":{"value":{}}',
        '"s":{"$type":"json_patch","value":[]}',
        '"s":{"value":{"id":1}}',
      ]) {
        const id = await run(side, oneStep('/w/echo'), `"input":[1],"overrides":{${override}}`)
        for (const part of ['', '/items', '/steps']) await side.send(get(`/runs/${id}${part}`))
      }
    },
  },
  { name: 'a file outside', script: simple(oneStep('/load_file', '{"path":"/etc/hostname"}')) },
  {
    name: 'files',
    options: {
      prepare: (folder) => {
        for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
      },
    },
    async script(side) {
      for (const name of [...Object.keys(files), 'missing.json']) {
        await run(side, oneStep('/load_file', `{"path":"${name}"}`))
      }
      await run(side, oneStep('/load_file', '{"path":"a.json","format":"text"}'))
      await run(side, oneStep('/load_file', '{"path":"a.json","format":"zz"}'))
    },
  },
  {
    name: 'bad YAML',
    options: { prepare: (folder) => writeFileSync(join(folder, 'bad.yaml'), 'a: [1,\nb: }') },
    script: async (side) => void (await run(side, oneStep('/load_file', '{"path":"bad.yaml"}'))),
  },
  {
    name: 'redirect',
    options: {
      staging: {
        acts: { '/away': ({ response }) => void response.writeHead(302, { location: '/elsewhere' }).end() },
      },
    },
    script: simple(oneStep('/w/away')),
  },
  {
    name: 'respond-async',
    async script(side) {
      const body = `{"flowId":"${await store(side, '{"output":1}')}","input":[1]}`
      await side.send(post('/runs', body, { prefer: 'respond-async' }))
    },
  },
  overloadCase(),
  {
    name: 'maxDepth',
    options: {},
    async script(side) {
      await run(side, oneStep('/map', map))
      await side.send(get('/runs?maxDepth=0'))
    },
  },
  {
    name: 'trace context',
    options: {},
    async script(side) {
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
      const body = `{"flowId":"${await store(side, oneStep('/w/echo'))}","input":[1]}`
      await side.ask(post('/runs', body, { traceparent: `00-${trace}-00f067aa0ba902b7-01` }))
      const { headers, message } = side.worker.got.at(-1) ?? {}
      side.note(
        'traceparent',
        headers?.['traceparent']?.toString().includes(trace) === true ? 'handed on' : 'dropped',
      )
      side.note('observability.trace_id', message?.includes(`"${trace}"`) === true ? 'as sent' : 'another')
    },
  },
  {
    name: 'YAML flow',
    script: async (side) =>
      void (await side.send(post('/flows', 'output: 1', { 'content-type': 'application/yaml' }))),
  },
  {
    name: 'skipIf',
    script: simple(
      '{"name":"n","description":"d","steps":[{"id":"s","component":"/w/echo","skipIf":{"$input":"$"}}],"output":{"$step":"s"}}',
    ),
  },
  {
    name: 'an array for an action',
    script: async (side) =>
      void (await side.send(
        post('/flows', '{"flow":{"steps":[{"id":"a","component":"/x","onError":[1]}]}}'),
      )),
  },
  {
    name: 'schemas and a step',
    script: async (side) =>
      void (await side.send(
        post(
          '/flows',
          '{"flow":{"schemas":1,"steps":[{"id":"a","component":"/x","input":{"$input":"$a"}}]}}',
        ),
      )),
  },
  {
    name: 'a default twice',
    script: async (side) =>
      void (await side.send(
        post(
          '/flows',
          '{"flow":{"steps":[{"id":"a","component":"/x","onError":{"action":"useDefault","defaultValue":1,"defaultValue":2}}]}}',
        ),
      )),
  },
  {
    name: 'no UTF-8',
    async script(side) {
      for (const body of [
        '{"flow":{"name":"\xff\xfe","output":1}}',
        '{"flow":{"x\xff":1,"output":{"a":"\xed\xa0\x80"}}}',
        '{"flow":\n{"output":"\xf4\x90\x80\x80"}}',
        '{"flow":\xff{"output":1}}',
        '{"flow":{"output":"\xc3\xa9" \xc3\xa9 }}',
        '{"flow":{"name" 1,"output":"\xff"}}',
        '{"flow":{"steps":[{"id":"a\xff\\"b"}]}}',
        '{"flow":{"name":"\xff',
        '\xef\xbb\xbf{"flow":{"output":1}}',
        '"\xff"',
      ]) {
        await side.send(post('/flows', Buffer.from(body, 'latin1')))
      }
    },
  },
  {
    name: 'no UTF-8 where nobody looks',
    script: async (side) =>
      void (await side.send(post('/flows', Buffer.from('{"flow":{"output":1,"unknown":"\xff"}}', 'latin1')))),
  },
  {
    name: 'single input of no flow',
    script: async (side) => void (await side.send(post('/runs', '{"flowId":"x","input":1}'))),
  },
  {
    name: 'an array for an object',
    script: async (side) => void (await side.send(post('/flows', '{"flow":[1]}'))),
  },
  {
    name: 'two faults',
    script: async (side) => void (await side.send(post('/flows', '{"flow":{"name":1,"output":x}}'))),
  },
  {
    name: 'twice and wrong',
    script: async (side) => void (await side.send(post('/flows', '{"flow":{"name":1,"name":"n"}}'))),
  },
]

const files: Readonly<Record<string, string>> = {
  'a.json': '{"b":1.0,"10":[1e3],"2":null}',
  'bad.json': '{"a":',
  'a.yaml': 'a: 1\nb: [1.5, x, null, true]\nc: {d: "e"}\n10: ten\n',
  'a.txt': 'text\n',
  noext: '{}',
}

/** Requests that need no case of their own, in one: what is wrong in a path, a query or a head. */
const corners: Case = {
  name: 'corners',
  async script(side) {
    const id = await run(side, oneStep('/w/echo'))
    const uuid = '01a20a34-f7c6-70a3-ada8-5bc03f543723'
    const wrongIds = [
      'xyz',
      '1',
      uuid.slice(1),
      `${uuid}0`,
      uuid.replace('-', ''),
      `g${uuid.slice(1)}`,
      '%20',
      'é',
    ]
    for (const wrong of wrongIds) await side.send(get(`/runs/${wrong}`))
    for (const form of [
      uuid,
      uuid.toUpperCase(),
      uuid.replaceAll('-', ''),
      `urn:uuid:${uuid}`,
      `{${uuid}}`,
    ]) {
      await side.send(get(`/runs/${encodeURIComponent(form)}`))
      for (const part of ['/items', '/steps', '/flow'])
        await side.send(get(`/runs/${encodeURIComponent(form)}${part}`))
      await side.send({ method: 'POST', path: `/runs/${encodeURIComponent(form)}/cancel` })
    }
    const queries = [
      ...[
        'status=bogus',
        'status=',
        'status=completed',
        'limit=x',
        'limit=-1',
        'limit=',
        'limit=1.5',
        'limit=0',
      ],
      ...[
        'limit=99999999999999999999',
        'offset=x',
        'maxDepth=-1',
        'maxDepth=4294967296',
        'rootRunId=x',
        'rootRunId=',
      ],
      ...[
        'parentRunId=1',
        'limit=0&limit=0',
        'zz=1&limit=0',
        'flowName=none',
        'limit=+0',
        'limit=%30',
        'status=a%26b',
      ],
      ...[`rootRunId=${uuid}`, `parentRunId=${uuid}`, 'flow_name=x&limit=0'],
    ]
    for (const query of queries.filter((text) => text !== 'status=completed'))
      await side.send(get(`/runs?${query}`))
    for (const query of ['includeSchemas=maybe', 'includeSchemas=', 'includeSchemas=TRUE']) {
      await side.send(get(`/components?${query}`))
    }
    await side.send(get(`/runs?rootRunId=${id}`))
    await side.send(get('/health'))
    for (const error of ['bad_request', 'not_found', 'stack', 'internal', 'zz', '']) {
      await side.send(get(`/health?error=${error}`))
    }
    for (const [method, path] of [
      ['PUT', '/flows'],
      ['DELETE', '/health'],
      ['POST', '/health'],
      ['PATCH', `/runs/${id}`],
      ['POST', `/runs/${id}/items`],
      ['GET', `/runs/${id}/cancel`],
      ['GET', '/flows'],
      ['GET', '/flows/'],
      ['GET', '/runs/'],
      ['GET', '/zz'],
      ['GET', `/runs/${id}/zz`],
      ['HEAD', '/health'],
      ['HEAD', `/runs/${id}`],
      ['OPTIONS', '/runs'],
      ['OPTIONS', '/zz'],
      ['OPTIONS', '/health'],
      ['OPTIONS', '/flows/x'],
      ['OPTIONS', `/runs/${id}`],
    ] as const) {
      await side.send({ method, path })
    }
    const wrong = '0'.repeat(64)
    for (const flow of ['x', wrong, wrong.replace('0', 'A'), '%20']) await side.send(get(`/flows/${flow}`))
    for (const flow of ['x', wrong]) await side.send(post('/runs', `{"flowId":"${flow}","input":[1]}`))
    const body = '{"flow":{}}'
    for (const type of [
      '',
      'text/plain',
      'application/json; charset=utf-8',
      'application/problem+json',
      'application/jsonx',
    ]) {
      await side.send(post('/flows', body, { 'content-type': type }))
    }
    await side.send(post('/flows', `{"flow":{"name":"${'x'.repeat(2 * 1024 * 1024)}"}}`))
    await side.send(post('/flows', '{"flow":{"output":1},"dryRun":true,"zz":1}'))
    await side.send(post('/flows', '{"flow":{"output":1},"dryRun":null}'))
    for (const bad of ['-1', '1.5', '"1"', '18446744073709551616', '[]', 'true']) {
      await side.send(post('/runs', `{"flowId":"x","input":[1],"maxConcurrency":${bad}}`))
    }
    for (const bad of ['null', '5', '[]', '{"a":null}', '{"a":{"value":1,"$type":"x"}}', '{"a":{}}']) {
      await side.send(post('/runs', `{"flowId":"x","input":[1],"overrides":${bad}}`))
      await side.send(post('/runs', `{"flowId":"x","input":[1],"variables":${bad}}`))
    }
  },
}

export const cases: readonly Case[] = [...named, corners]
