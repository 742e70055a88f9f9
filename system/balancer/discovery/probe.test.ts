// What a health answer says.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createProbe, judge } from './probe.ts'

t.test('takes 2xx with status healthy and an instance id for good', async (t) => {
  t.same(judge(200, '{"status":"healthy","instanceId":"a-1"}'), { kind: 'good', instanceId: 'a-1' })
  t.same(judge(204, '{"status":"healthy","instanceId":"a-1","more":1}'), { kind: 'good', instanceId: 'a-1' })
})

t.test('takes anything else for bad', async (t) => {
  for (const [status, body] of [
    [500, '{"status":"healthy","instanceId":"a"}'],
    [302, '{"status":"healthy","instanceId":"a"}'],
    [200, '{"status":"sick","instanceId":"a"}'],
    [200, '{"status":"healthy"}'],
    [200, '{"status":"healthy","instanceId":7}'],
    [200, '{"status":"healthy","instanceId":"a b"}'],
    [200, '{"status":"healthy","instanceId":""}'],
    [200, 'null'],
    [200, '"healthy"'],
    [200, 'not JSON'],
    [200, ''],
  ] as const) {
    t.equal(judge(status, body).kind, 'bad')
  }
})

t.test('tells a fault from silence', async (t) => {
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.same(await createProbe(30)('127.0.0.1', port), { kind: 'slow' })
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  t.match(await createProbe(5_000)('127.0.0.1', port), { kind: 'fault', problem: 'ECONNREFUSED' })
})

t.test('refuses an endless answer', async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(200)
    const fill = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    }
    response.on('drain', fill)
    fill()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  t.match(await createProbe(5_000)('127.0.0.1', (server.address() as AddressInfo).port), { kind: 'bad' })
})
