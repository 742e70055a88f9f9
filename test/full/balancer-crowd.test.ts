// The balancer in a crowd: ten thousand idle connections and slow heads cost no request its answer, and little memory.

import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { post, RawClient, startPod, until } from '../../system/balancer/test-support.ts'
import { startBalancerProgram } from '../e2e/balancer-program.ts'

const crowd = 10_000
const slow = 1_000
/** Opened at a time, so that no backlog overflows. */
const batch = 500
/** Of each idle connection, in the balancer; a stream may have 12. */
const maxKib = 4

t.test('ten thousand idle connections and a thousand slow heads', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'balancer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const config = join(folder, 'balancer.yml')
  // Long enough to open them all meanwhile, short enough to see them closed.
  writeFileSync(config, 'limits: { keepAliveMs: 20000, headTimeoutMs: 5000 }\n')
  const pod = await startPod(t, 'a')
  const program = await startBalancerProgram(t, `127.0.0.1:${pod.port}`, ['--config', config])
  const call = async (): Promise<number> => {
    const client = new RawClient(t, program.port)
    client.write(post('{}'))
    const { status } = await client.answer()
    client.socket.destroy()
    return status
  }
  t.equal(await call(), 200)
  const before = residentKib(program.child.pid!)
  const idle: Socket[] = []
  let closed = 0
  t.teardown(() => {
    for (const socket of idle) socket.destroy()
  })
  while (idle.length < crowd) {
    const fresh = Array.from({ length: batch }, () => connect(program.port, '127.0.0.1'))
    for (const socket of fresh) socket.on('close', () => closed++).on('error', () => {})
    idle.push(...fresh)
    await Promise.all(fresh.map((socket) => once(socket, 'connect')))
  }
  const connections = async (): Promise<number> => {
    const text = await (await fetch(`${program.admin}/metrics`)).text()
    return Number(/^stepflow_lb_client_connections (\d+)$/m.exec(text)?.[1])
  }
  await until(async () => (await connections()) === crowd)
  t.equal(closed, 0)
  const slowOnes = Array.from({ length: slow }, () => new RawClient(t, program.port))
  for (const client of slowOnes) client.write('POST / HTTP/1.1\r\nHost: po')
  for (let round = 0; round < 20; round++) t.equal(await call(), 200)
  const kib = (residentKib(program.child.pid!) - before) / (crowd + slow)
  t.ok(kib < maxKib, `${kib.toFixed(1)} KiB a connection`)
  for (const client of slowOnes) {
    await client.until(() => client.received !== '', 20_000)
    if (!client.received.startsWith('HTTP/1.1 408 ')) t.fail(client.received)
    client.socket.destroy()
  }
  await until(async () => (await connections()) === 0, 60_000)
  t.equal(await call(), 200)
})

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}
