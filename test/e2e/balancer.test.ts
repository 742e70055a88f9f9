// The balancer as its own process: flags, listeners, the configuration file, SIGHUP and SIGTERM.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseHistory } from '../../harness/history/parse.ts'
import { post, RawClient, send, startPod, until } from '../../system/balancer/test-support.ts'
import { programEnv } from '../program-env.ts'
import { main as balancerMain, startBalancerProgram } from './balancer-program.ts'

const execute =
  '{"jsonrpc":"2.0","id":"call-1","method":"components/execute","params":{"component":"/gpu_x"}}'

const address = (pod: { readonly port: number }): string => `127.0.0.1:${pod.port}`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

t.test('prints its port and how to open up, is ready once a pod is, ends with 0 on SIGTERM', async (t) => {
  const pod = await startPod(t, 'a')
  const program = await startBalancerProgram(t, address(pod))
  t.equal((await send(t, program.port, post(execute))).body, '{"pod":"a"}')
  t.equal(pod.requests[0]!.headers['via'], '1.1 lb-1')
  t.equal((await fetch(`${program.admin}/livez`)).status, 200)
  t.match(await (await fetch(`${program.admin}/metrics`)).text(), `stepflow_lb_backend_pool_size 1`)
  t.match(await (await fetch(`${program.admin}/backends`)).json(), {
    backends: [{ instanceId: 'a', state: 'ready' }],
  })
  program.child.kill('SIGTERM')
  t.equal(await program.exit(), 0)
  t.match(program.log(), /open up with --bind-address 0\.0\.0\.0:0"/)
})

t.test('proxies /health like every other path', async (t) => {
  const pod = await startPod(t, 'a')
  const program = await startBalancerProgram(t, address(pod))
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
  const program = await startBalancerProgram(t, address(pod), ['--drain-idle-ms', '100'])
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

t.test('a stream that does not end is cut off at the deadline of the shutdown', async (t) => {
  const pod = await startPod(t, 'a', (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  const program = await startBalancerProgram(t, address(pod), ['--shutdown-deadline-ms', '300'])
  const client = new RawClient(t, program.port)
  client.write(post(execute))
  await client.until(() => client.received.includes('data: 1'))
  program.child.kill('SIGTERM')
  t.equal(await program.exit(), 1)
  await client.until(() => client.closed || client.ended)
  t.match(program.log(), /shutdown deadline passed/)
})

t.test('rules come from the configuration file, and from its next version after SIGHUP', async (t) => {
  const [pod, gpu] = [await startPod(t, 'main'), await startPod(t, 'gpu')]
  const folder = mkdtempSync(join(tmpdir(), 'balancer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const config = join(folder, 'balancer.yml')
  writeFileSync(config, '')
  const program = await startBalancerProgram(t, address(pod), ['--config', config])
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
    const program = await startBalancerProgram(t, address(pod), ['--threads', threads], {
      HISTORY_FILE: file,
    })
    await send(t, program.port, post(execute))
    await send(t, program.port, post(execute, 'Stepflow-Instance-Id: nobody\r\n'))
    program.child.kill('SIGTERM')
    t.equal(await program.exit(), 0)
    const { records } = parseHistory(readFileSync(file, 'utf8'), { file })
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
    const child = spawn(process.execPath, [balancerMain, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += String(bytes)))
    const [code] = (await once(child, 'close')) as [number]
    return { code, text }
  }
  const help = await run(['--help'])
  t.equal(help.code, 0)
  t.match(help.text, /--upstream-service/)
  t.match(help.text, /0\.0\.0\.0/)
  const alone = await run(['--metrics-enabled', '--log-destination', 'otlp'])
  t.equal(alone.code, 2)
  t.match(alone.text, /--metrics-enabled: .*--otlp-endpoint.*\n.*--log-destination: /)
  const wrong = await run(['--bind-address', 'x', '--threads', '0'])
  t.equal(wrong.code, 2)
  t.match(wrong.text, /--bind-address.*\n.*--threads/)
})

t.test(
  'takes every flag of the original by its variable, and sends log, spans and metrics to a collector',
  async (t) => {
    const paths = new Map<string, string>()
    const collector = createServer(async (request, response) => {
      let text = ''
      for await (const part of request) text += String(part)
      paths.set(request.url ?? '', `${paths.get(request.url ?? '') ?? ''}${text}`)
      response.end()
    })
    collector.listen(0, '127.0.0.1')
    await once(collector, 'listening')
    t.teardown(() => {
      collector.closeAllConnections()
      collector.close()
    })
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const pod = await startPod(t, 'a')
    const main = await freePort()
    const metrics = await freePort()
    const child = spawn(process.execPath, [balancerMain], {
      env: programEnv({
        UPSTREAM_SERVICE: address(pod),
        BIND_ADDRESS: `127.0.0.1:${main}`,
        METRICS_ADDRESS: `127.0.0.1:${metrics}`,
        ADMIN_ADDRESS: '127.0.0.1:0',
        STEPFLOW_LOG_LEVEL: 'info',
        STEPFLOW_OTHER_LOG_LEVEL: 'warn',
        STEPFLOW_LOG_DESTINATION: 'otlp',
        STEPFLOW_LOG_FORMAT: 'text',
        STEPFLOW_TRACE_ENABLED: 'true',
        STEPFLOW_METRICS_ENABLED: 'true',
        STEPFLOW_OTLP_ENDPOINT: endpoint,
      }),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    t.teardown(async () => {
      child.kill('SIGKILL')
      await exited
    })
    await until(async () => {
      const text = await fetch(`http://127.0.0.1:${metrics}/any/path`).then(
        (answer) => answer.text(),
        () => '',
      )
      return text.includes('stepflow_lb_backend_pool_size 1')
    })
    t.equal((await send(t, main, post(execute))).status, 200)
    child.kill('SIGTERM')
    t.same((await exited)[0], 0)
    t.match(paths.get('/v1/logs'), /"stringValue":"listening".*"stringValue":"stopped"/s)
    t.match(paths.get('/v1/traces'), /"http\.request\.method"/)
    t.match(paths.get('/v1/metrics'), /"stepflow_lb_requests_total".*"stepflow_lb_request_duration_ms"/s)
  },
)

t.test('when descriptors run out new clients get 503, and open streams are unhurt', async (t) => {
  const streams: ((text: string) => void)[] = []
  const pod = await startPod(t, 'a', (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 0\n\n')
    streams.push((text) => response.write(text))
  })
  const program = await startBalancerProgram(t, address(pod), [], {}, 300)
  const open: RawClient[] = []
  let refusal = ''
  // Two descriptors a stream, and the program keeps some for itself.
  while (refusal === '' && open.length < 300) {
    const client = new RawClient(t, program.port)
    client.write(post(execute))
    await client.until(() => client.received.includes('data: 0') || client.received.includes('503'))
    if (client.received.includes('data: 0')) open.push(client)
    else refusal = client.received
  }
  t.match(refusal, /^HTTP\/1\.1 503 .*"reason":"limit"/s)
  t.ok(open.length > 50, `${open.length} streams`)
  // Clients that come all at once, more than descriptors are left.
  const crowd = Array.from({ length: 400 }, () => new RawClient(t, program.port))
  for (const client of crowd)
    await client.until(() => client.closed || client.ended || client.received !== '')
  t.same(crowd.filter(({ received }) => received.startsWith('HTTP/1.1 200')).length, 0)
  for (const write of streams) write('data: 1\n\n')
  for (const client of open) await client.until(() => client.received.includes('data: 1'))
  t.equal((await fetch(`${program.admin}/livez`)).status, 200)
  open.pop()!.socket.destroy()
  await until(async () => {
    const next = new RawClient(t, program.port)
    next.write(post(execute))
    await next.until(() => next.received !== '')
    const served = next.received.startsWith('HTTP/1.1 200')
    next.socket.destroy()
    return served
  })
})
