// The component server as a program: what it prints, serves, records, and how it ends.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { request } from 'undici'
import type { History } from '../../contracts/history.ts'
import { parseHistory } from '../../harness/history/parse.ts'
import { programEnv } from '../program-env.ts'
import { executeMessage, openCall, post, reply } from './component-server/peer.ts'

const root = join(import.meta.dirname, '../..')

// Some 15 starts of a program, on a machine that may have other things to do.
t.setTimeout(120_000)
const main = join(root, 'system/component-server/main.ts')
const holdFile = join(root, 'scenarios/components/hold.ts')

type Child = ChildProcessByStdio<null, Readable, Readable>

interface Program {
  readonly child: Child
  readonly url: string
  readonly adminUrl: string
  readonly stdout: () => string
  /** Log events so far. */
  readonly events: () => readonly Record<string, unknown>[]
  readonly exit: Promise<number | null>
}

function launch(t: Test, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = spawn(process.execPath, [main, ...args], {
    env: programEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** Starts the program on free ports and waits until it listens. */
async function start(
  t: Test,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const child = launch(t, ['--port', '0', ...args], env)
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  const events: Record<string, unknown>[] = []
  let stdout = ''
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
  })
  const listening = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const event = JSON.parse(line) as Record<string, unknown>
      events.push(event)
      if (event['event'] === 'listening') resolve(event)
    })
    void exit.then((code) => reject(new Error(`exited with ${code}`)))
  })
  const [{ address, admin }] = await Promise.all([listening, once(child.stdout, 'data')])
  return {
    child,
    url: `http://${String(address)}/`,
    adminUrl: `http://${String(admin)}`,
    stdout: () => stdout,
    events: () => events,
    exit,
  }
}

/** Runs the program to its end. */
async function run(t: Test, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = launch(t, args, env)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

const statusOf = async (url: string): Promise<number> => {
  const { statusCode, body } = await request(url)
  await body.dump()
  return statusCode
}

const historyOf = async (file: string): Promise<History> =>
  parseHistory(await readFile(file, 'utf8'), { file }).records

t.test('prints its port alone on stdout, says how to open up, and serves on both listeners', async (t) => {
  const { child, url, adminUrl, stdout, events, exit } = await start(t, ['--drain-delay-ms', '0'], {
    POD_NAME: 'component-server-abc',
  })
  t.equal(stdout(), `{"port": ${new URL(url).port}}\n`)
  const { body } = await request(new URL('/health', url))
  t.match(await body.json(), { status: 'healthy', instanceId: /^component-server-abc-[0-9a-f]{8}$/ })
  const { json } = await post(url, executeMessage('/fibonacci', { n: 30 }))
  t.match(json, { result: { output: { result: 832040 } } })
  t.equal(await statusOf(`${adminUrl}/livez`), 200)
  t.equal(await statusOf(`${adminUrl}/readyz`), 200)
  const metrics = await (await request(`${adminUrl}/metrics`)).body.text()
  t.match(metrics, 'stepflow_component_server_calls_total{component="/fibonacci",outcome="success"} 1')
  t.match(metrics, 'stepflow_component_server_streams_open 0')
  t.match(metrics, 'nodejs_eventloop_lag_p99_seconds')
  child.kill('SIGTERM')
  t.equal(await exit, 0)
  t.ok(
    events().some(({ event }) => String(event).endsWith('open up with --host 0.0.0.0')),
    'it says how to open up',
  )
})

t.test('records a call’s history before its bytes leave, so that SIGKILL loses none of it', async (t) => {
  const file = join(t.testdir({}), 'history.ndjson')
  const { child, url, exit } = await start(t, ['--components', holdFile, '--instance-id', 'x/y'], {
    HISTORY_FILE: file,
    POD_NAME: 'cs-1',
  })
  await using call = await openCall(url, '/hold', { data: { nonce: 'n' }, hold_ms: 60_000 })
  t.equal(call.headers['stepflow-instance-id'], 'x/y')
  const put = await call.next()
  t.match(put, { method: 'blobs/put', params: { data: { nonce: 'n' } } })
  t.equal(await reply(url, put?.id ?? '', { blob_id: 'b' }, '1.1 lb-1'), 202)
  child.kill('SIGKILL')
  await exit
  t.match(await historyOf(file), [
    { kind: 'process.started', witness: 'component-server', pod: 'cs-1', instanceId: 'x/y', pid: child.pid },
    { kind: 'execute.received', requestId: 'e-1', component: '/hold', runId: 'r', stepId: 's', stream: true },
    { kind: 'callback.sent', requestId: 'e-1', callbackId: put?.id, method: 'blobs/put' },
    { kind: 'callback.resolved', callbackId: put?.id, roundTripUs: Number, via: '1.1 lb-1' },
  ])
})

t.test('lets a stream with callbacks end after SIGTERM, then exits 0', async (t) => {
  const file = join(t.testdir({}), 'history.ndjson')
  const { child, url, adminUrl, exit, events } = await start(t, ['--drain-delay-ms', '0'], {
    HISTORY_FILE: file,
    COMPONENT_FILES: `${holdFile},`,
  })
  await using call = await openCall(url, '/hold', { data: 1.5 })
  const put = await call.next()
  child.kill('SIGTERM')
  while ((await statusOf(`${adminUrl}/readyz`)) !== 503) await new Promise(setImmediate)
  t.equal(await statusOf(`${adminUrl}/livez`), 200)
  t.equal(await reply(url, put?.id ?? '', { blob_id: 'b' }), 202)
  const get = await call.next()
  t.match(get, { method: 'blobs/get' })
  t.equal(await reply(url, get?.id ?? '', { data: 1.5, blob_type: 'data' }), 202)
  t.match(await call.next(), { result: { output: { blob_id: 'b', retrieved_data: 1.5, held_ms: Number } } })
  t.equal(await call.next(), undefined)
  t.equal(await exit, 0)
  t.match((await historyOf(file)).slice(-5), [
    { kind: 'process.stopping', reason: 'SIGTERM' },
    { kind: 'callback.resolved' },
    { kind: 'callback.sent' },
    { kind: 'callback.resolved' },
    { kind: 'execute.answered', outcome: 'success' },
  ])
  t.match(
    events().map(({ event }) => event),
    ['listening', /--host 0\.0\.0\.0$/, 'stopping', 'draining', 'stopped'],
  )
})

t.test('ends what is open at the deadline with an error, and still exits 0', async (t) => {
  const { child, url, exit } = await start(t, [
    ...['--components', holdFile],
    ...['--drain-delay-ms', '60000', '--shutdown-deadline-ms', '1'],
  ])
  await using call = await openCall(url, '/hold', { data: 1 })
  await call.next()
  child.kill('SIGINT')
  t.match(await call.next(), { error: { code: -32000, message: 'component server is stopping' } })
  t.equal(await exit, 0)
})

t.test('survives a promise that a component forgot', async (t) => {
  const file = join(t.testdir({}), 'forgets.ts')
  const sdk = JSON.stringify(join(root, 'system/component-server/sdk.ts'))
  await writeFile(
    file,
    `import { component, Type } from ${sdk}
export const forgets = component({
  name: 'forgets',
  input: Type.Object({}),
  run() {
    Promise.reject(new Error('forgotten'))
    return 1
  },
})
`,
  )
  const { url, events } = await start(t, ['--components', file])
  t.match((await post(url, executeMessage('/forgets', {}))).json, { result: { output: 1 } })
  t.match((await post(url, executeMessage('/forgets', {}))).json, { result: { output: 1 } })
  t.match(events().at(-1), { event: 'unhandled rejection', error: /forgotten/ })
})

t.test('runs the examples of docs/components.md', async (t) => {
  const guide = await readFile(join(root, 'docs/components.md'), 'utf8')
  const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)
  const sdk = join(root, 'system/component-server/sdk.ts')
  const folder = t.testdir(
    Object.fromEntries(
      blocks.map((code, index) => [
        `${index}.ts`,
        code
          .replace(`'./system/component-server/sdk.ts'`, JSON.stringify(sdk))
          .replace(`'zod'`, JSON.stringify(import.meta.resolve('zod'))),
      ]),
    ),
  )
  const files = blocks.flatMap((_code, index) => ['--components', join(folder, `${index}.ts`)])
  const { url } = await start(t, files)
  const message = /-d '(.*?)'/s.exec(guide)?.[1]?.replaceAll(/\n\s+/g, '')
  const answer = /```text\n(.*?)\n```/s.exec(guide)?.[1]
  t.equal((await post(url, message)).text, answer)

  const mean = await post(url, executeMessage('/mean', { values: [1, 2, 2] }))
  t.match(mean.json, { result: { output: { mean: 1.67 } } })

  await using call = await openCall(url, '/keep', { data: [1] })
  await reply(url, (await call.next())?.id ?? '', { blob_id: 'b' })
  await reply(url, (await call.next())?.id ?? '', { data: [1], blob_type: 'data' })
  t.match(await call.next(), { result: { output: { blob_id: 'b', kept: [1] } } })
})

t.test('says what is wrong with its flags, files and addresses, and exits 2', async (t) => {
  const { url } = await start(t)
  const { port } = new URL(url)
  const bad = t.testdir({ 'bad.ts': 'export default 5\n' })
  const cases: [readonly string[], RegExp][] = [
    [['--port', '65536', '--hots=x'], /--hots: is not a flag.*\n.*--port: got 65536, use 0 to 65535/],
    [['--components', join(bad, 'bad.ts')], /bad\.ts: export default is no component/],
    [['--port', port], /cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE, stop what holds it/],
  ]
  const results = await Promise.all(cases.map(([args]) => run(t, args)))
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    t.strictSame([code, stdout], [2, ''])
    t.match(stderr, cases[index]?.[1])
  }
})

t.test('prints its flags', async (t) => {
  const { code, stdout } = await run(t, ['--help'])
  t.equal(code, 0)
  for (const word of [
    '--host',
    '127.0.0.1',
    '0.0.0.0 opens it',
    '--components',
    'COMPONENT_FILES',
    'stderr',
  ]) {
    t.match(stdout, word)
  }
})
