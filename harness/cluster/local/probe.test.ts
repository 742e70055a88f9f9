// Tests of the probe and of what a row of results means.

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { test } from 'tap'
import { afterProbe, notStarted, probe } from './probe.ts'

async function probed(handler: RequestListener, timeoutMs = 2_000): Promise<unknown> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const result = await probe({ address: '127.0.0.1', port, path: '/readyz' }, timeoutMs)
  server.close()
  server.closeAllConnections()
  return result
}

test('takes 2xx and 3xx for success', async (t) => {
  for (const status of [200, 204, 399]) {
    const result = await probed((request, response) => {
      response.writeHead(request.url === '/readyz' ? status : 500).end()
    })
    t.same(result, { ok: true, answered: true, reason: '' })
  }
})

test('says why a program is not ready, in at most 200 characters', async (t) => {
  t.same(await probed((_request, response) => void response.writeHead(503).end('no backend\n')), {
    ok: false,
    answered: true,
    reason: 'HTTP 503: no backend',
  })
  const endless = await probed((_request, response) => {
    response.writeHead(500)
    response.write('x'.repeat(100_000))
  })
  t.same(endless, { ok: false, answered: true, reason: `HTTP 500: ${'x'.repeat(200)}` })
})

test('says that nothing listens, that nothing answers, and that the answer is no HTTP', async (t) => {
  const server = createTcpServer((socket) => socket.resume().end('SSH-2.0\r\n\r\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.match(await probe({ address: '127.0.0.1', port, path: '/' }, 2_000), { ok: false, answered: false })
  server.close()
  await once(server, 'close')
  t.match(await probe({ address: '127.0.0.1', port, path: '/' }, 2_000), {
    ok: false,
    reason: 'ECONNREFUSED',
  })
  t.same(await probed(() => {}, 50), { ok: false, answered: false, reason: 'no answer in 50 ms' })
})

test('is ready after one success and unready after some failures in a row', async (t) => {
  const good = { ok: true, answered: true, reason: '' }
  const bad = { ok: false, answered: true, reason: 'HTTP 503: draining' }
  let state = afterProbe(notStarted, bad, 3)
  t.match(state, { ready: false, reason: 'HTTP 503: draining' })
  state = afterProbe(state, good, 3)
  t.match(state, { ready: true, reason: null })
  state = afterProbe(afterProbe(state, bad, 3), bad, 3)
  t.equal(state.ready, true, 'two failures are not enough')
  t.equal(afterProbe(afterProbe(state, good, 3), bad, 3).ready, true, 'a success starts the count anew')
  t.match(afterProbe(state, bad, 3), { ready: false, reason: 'HTTP 503: draining' })
})
