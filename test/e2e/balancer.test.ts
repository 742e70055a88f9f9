// The balancer as its own process: flags, listeners, the configuration file, SIGHUP and SIGTERM.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Owner, post, RawClient, send, startPod, until } from '../../system/balancer/test-support.ts'

const main = join(import.meta.dirname, '../../system/balancer/main.ts')
const execute =
  '{"jsonrpc":"2.0","id":"call-1","method":"components/execute","params":{"component":"/gpu_x"}}'

interface Program {
  readonly child: ChildProcess
  readonly port: number
  readonly admin: string
  log(): string
  exit(): Promise<number | null>
}

/** Starts the program on free ports; resolves once it is ready. */
async function start(
  owner: Owner,
  upstream: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Program> {
  const child = spawn(
    process.execPath,
    [
      main,
      ...['--upstream-service', upstream, '--bind-address', '127.0.0.1:0', '--admin-address', '127.0.0.1:0'],
      ...['--metrics-address', '127.0.0.1:0', ...args],
    ],
    {
      env: { PATH: process.env['PATH'] ?? '', POD_NAME: 'lb-1', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  owner.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let log = ''
  child.stdout!.setEncoding('utf8')
  child.stdout!.on('data', (text: string) => {
    log += text
  })
  await until(() => log.includes('"listening"') || child.exitCode !== null)
  const listening = JSON.parse(log.split('\n').find((line) => line.includes('"listening"')) ?? '{}') as {
    admin: string
  }
  const port = Number(/^\{"port":(\d+)\}$/m.exec(log)?.[1])
  const admin = `http://${listening.admin}`
  await until(async () => (await fetch(`${admin}/readyz`)).status === 200)
  return { child, port, admin, log: () => log, exit: async () => (await exited)[0] as number | null }
}

const address = (pod: { readonly port: number }): string => `127.0.0.1:${pod.port}`

t.test('prints its port, is ready once a pod is, and ends with 0 on SIGTERM', async (t) => {
  const pod = await startPod(t, 'a')
  const program = await start(t, address(pod))
  t.equal((await send(t, program.port, post(execute))).body, '{"pod":"a"}')
  t.equal(pod.requests[0]!.headers['via'], '1.1 lb-1')
  t.equal((await fetch(`${program.admin}/livez`)).status, 200)
  t.match(await (await fetch(`${program.admin}/metrics`)).text(), `stepflow_lb_backend_pool_size 1`)
  t.match(await (await fetch(`${program.admin}/backends`)).json(), {
    backends: [{ instanceId: 'a', state: 'ready' }],
  })
  program.child.kill('SIGTERM')
  t.equal(await program.exit(), 0)
})

t.test('proxies /health like every other path', async (t) => {
  const pod = await startPod(t, 'a')
  const program = await start(t, address(pod))
  const response = await fetch(`http://127.0.0.1:${program.port}/health`)
  t.match(await response.json(), { status: 'healthy', instanceId: 'a' })
})

t.test('on SIGTERM an open stream goes on to its end, and nothing new is accepted', async (t) => {
  let finish: () => void = () => {}
  const pod = await startPod(t, 'a', (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    finish = () => response.end('data: 2\n\n')
  })
  const program = await start(t, address(pod), ['--drain-idle-ms', '100'])
  const client = new RawClient(t, program.port)
  client.write(post(execute))
  await client.until(() => client.received.includes('data: 1'))
  program.child.kill('SIGTERM')
  await until(async () => (await fetch(`${program.admin}/readyz`)).status === 503)
  // One that was in the backlog when the listener closed is reset; from then on all are refused.
  await until(async () => {
    const late = new RawClient(t, program.port)
    await late.until(() => late.closed || late.ended)
    return late.error?.code === 'ECONNREFUSED'
  })
  t.equal(client.ended, false)
  finish()
  t.match((await client.answer()).body, /data: 2\n\n\r\n0\r\n\r\n$/)
  t.equal(await program.exit(), 0)
})

t.test('rules come from the configuration file, and from its next version after SIGHUP', async (t) => {
  const [pod, gpu] = [await startPod(t, 'main'), await startPod(t, 'gpu')]
  const folder = mkdtempSync(join(tmpdir(), 'balancer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const config = join(folder, 'balancer.yml')
  writeFileSync(config, '')
  const program = await start(t, address(pod), ['--config', config])
  const client = new RawClient(t, program.port)
  const call = async () => {
    client.write(post(execute))
    return (await client.answer()).body
  }
  t.equal(await call(), '{"pod":"main"}')
  const rule = 'rules: [{ component: "/gpu_*", pools: { gpu: 1 } }]\n'
  writeFileSync(config, `pools: { gpu: "${address(gpu)}" }\n${rule}`)
  program.child.kill('SIGHUP')
  await until(async () => (await call()) === '{"pod":"gpu"}')
  // A file that is wrong changes nothing.
  writeFileSync(config, rule)
  program.child.kill('SIGHUP')
  await until(() => program.log().includes('not reloaded'))
  t.equal(await call(), '{"pod":"gpu"}')
  t.equal((await fetch(`${program.admin}/reload`, { method: 'POST' })).status, 400)
  t.equal(client.ended, false)
})

t.test('leaves records of what it routed, also from several threads', async (t) => {
  const pod = await startPod(t, 'a')
  const folder = mkdtempSync(join(tmpdir(), 'balancer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const threads of ['1', '2']) {
    const file = join(folder, `history-${threads}`)
    const program = await start(t, address(pod), ['--threads', threads], { HISTORY_FILE: file })
    await send(t, program.port, post(execute))
    await send(t, program.port, post(execute, 'Stepflow-Instance-Id: nobody\r\n'))
    program.child.kill('SIGTERM')
    t.equal(await program.exit(), 0)
    const records = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    t.match(records[0], { kind: 'process.started', witness: 'balancer', pod: 'lb-1' })
    t.match(
      records.filter(({ kind }) => kind === 'request.routed'),
      [
        { backend: address(pod), instanceId: 'a', stream: false, status: 200 },
        { pinned: 'nobody', stream: false, status: 503, reason: 'unknown' },
      ],
    )
    t.match(
      records.find(({ kind }) => kind === 'backend.state'),
      { backend: address(pod), state: 'ready' },
    )
    t.match(records.at(-1), { kind: 'process.stopping', reason: 'SIGTERM' })
  }
})

t.test('explains itself, and names every wrong flag at once', async (t) => {
  const run = async (args: readonly string[]) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += String(bytes)))
    const [code] = (await once(child, 'close')) as [number]
    return { code, text }
  }
  const help = await run(['--help'])
  t.equal(help.code, 0)
  t.match(help.text, /--upstream-service/)
  t.match(help.text, /0\.0\.0\.0/)
  const wrong = await run(['--bind-address', 'x', '--threads', '0'])
  t.equal(wrong.code, 2)
  t.match(wrong.text, /--bind-address.*\n.*--threads/)
})
