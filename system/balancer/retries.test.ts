// Safe retries: pods that refuse, reset and vanish under load never make a request run twice.

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t from 'tap'
import { inFlight, type Owner, post, RawClient, startFor, startPod, totals } from './test-support.ts'

/** A pod of raw sockets that counts each id it reads and, by `fate`, answers, resets before or after reading, or refuses. */
async function startFickle(
  owner: Owner,
  instanceId: string,
  executions: Map<string, number>,
  fate: () => number,
) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      if (text.startsWith('GET /health')) {
        const body = JSON.stringify({ status: 'healthy', instanceId })
        socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
        return
      }
      for (let end = text.indexOf('}}'); end !== -1; end = text.indexOf('}}')) {
        const id = /"id":"([^"]*)"/.exec(text.slice(0, end))?.[1] ?? ''
        text = text.slice(end + 2)
        executions.set(id, (executions.get(id) ?? 0) + 1)
        const drawn = fate()
        if (drawn < 0.1) {
          socket.resetAndDestroy()
          return
        }
        if (drawn < 0.15) {
          socket.end()
          return
        }
        socket.write(
          `HTTP/1.1 200 OK\r\nstepflow-instance-id: ${instanceId}\r\ncontent-length: ${id.length}\r\n\r\n${id}`,
        )
        // The connection goes while it is idle: the next request may find it broken.
        if (drawn < 0.5) setTimeout(() => socket.resetAndDestroy(), drawn * 5)
      }
    })
    // Gone before a byte was read.
    if (text === '' && fate() < 0.05) socket.resetAndDestroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  return { port: address !== null && typeof address === 'object' ? address.port : 0 }
}

t.test('thousands of resets, and no request ran twice or got a wrong answer', async (t) => {
  const executions = new Map<string, number>()
  let seed = 1
  const fate = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return seed / 4_294_967_296
  }
  const pods = [
    await startFickle(t, 'a', executions, fate),
    await startFickle(t, 'b', executions, fate),
    await startFickle(t, 'c', executions, fate),
  ]
  const balancer = await startFor(t, pods, { probeIntervalMs: 20 })
  const requests = 6_000
  let sent = 0
  const statuses = new Map<number, number>()
  const work = async (): Promise<void> => {
    let client = new RawClient(t, balancer.port)
    while (sent < requests) {
      const id = `r-${sent++}`
      client.write(post(`{"jsonrpc":"2.0","id":"${id}","method":"components/execute","params":{}}`))
      const answer = await client.answer()
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      if (answer.status === 200 && answer.body !== id) t.fail(`${id} got ${answer.body}`)
      if (answer.status !== 200 && JSON.parse(answer.body).id !== id) t.fail(`${id} got ${answer.body}`)
      if (answer.status === 200 && executions.get(id) !== 1) t.fail(`${id} ran ${executions.get(id)} times`)
      if (client.ended) client = new RawClient(t, balancer.port)
    }
    client.socket.destroy()
  }
  await Promise.all(Array.from({ length: 8 }, work))
  const twice = [...executions].filter(([, count]) => count > 1)
  t.same(twice, [])
  t.ok((statuses.get(502) ?? 0) > 500, `faults happened: ${JSON.stringify([...statuses])}`)
  t.ok((statuses.get(200) ?? 0) > 2_000)
  t.equal(inFlight(balancer), 0)
  const text = await balancer.registry.metrics()
  t.match(text, /stepflow_lb_active_connections\{backend="[^"]*"\} 0/)
})

t.test('a request survives the death of its pod as long as nothing of it was sent', async (t) => {
  const pods = [await startPod(t, 'a'), await startPod(t, 'b'), await startPod(t, 'c')]
  const balancer = await startFor(t, pods, { probeIntervalMs: 60_000 })
  await pods[0]!.kill()
  await pods[1]!.kill()
  const client = new RawClient(t, balancer.port)
  for (let request = 0; request < 20; request++) {
    client.write(post('{}'))
    t.equal((await client.answer()).status, 200)
  }
  t.ok((await totals(balancer)).retries >= 1)
  t.equal(inFlight(balancer), 0)
})

t.test('a request goes on to the last pod that is left, however many went at once', async (t) => {
  const pods = await Promise.all(Array.from({ length: 8 }, (_, index) => startPod(t, `pod-${index}`)))
  const balancer = await startFor(t, pods, { probeIntervalMs: 60_000 })
  // The first choices fall on those that are gone.
  for (const pod of pods.slice(0, 7)) await pod.kill()
  const client = new RawClient(t, balancer.port)
  client.write(post('{}'))
  t.equal((await client.answer()).status, 200)
  t.equal(pods[7]!.bodies.length, 1)
  t.equal((await totals(balancer)).retries, 7)
  t.equal(inFlight(balancer), 0)
})
