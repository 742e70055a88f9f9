// What a health answer says.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
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

t.test('reads an answer however it is framed and comes, and no other', async (t) => {
  const healthy = '{"status":"healthy","instanceId":"a-1"}'
  const chunked = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${healthy.length.toString(16)}\r\n${healthy}\r\n0\r\n\r\n`
  const good = { kind: 'good', instanceId: 'a-1' }
  const answers: readonly [string, object][] = [
    [`HTTP/1.1 200 OK\r\ncontent-length: ${healthy.length}\r\n\r\n${healthy}`, good],
    [`HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n${healthy}`, good],
    [chunked, good],
    ['HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n', { kind: 'bad', problem: 'status 503' }],
    [`HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n${healthy}`, { kind: 'fault' }],
    [chunked.replace('\r\n0\r\n', '\r\nz\r\n'), { kind: 'bad' }],
    ['SSH-2.0-OpenSSH_9.2p1 Debian\r\n', { kind: 'bad' }],
  ]
  for (const [text, expected] of answers) {
    for (const step of [text.length, 7]) {
      const server = createTcpServer((socket) => {
        socket.setNoDelay(true)
        socket.on('error', () => {})
        socket.once('data', () => {
          for (let at = 0; at < text.length; at += step) socket.write(text.slice(at, at + step))
          socket.end()
        })
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.match(await createProbe(5_000)('127.0.0.1', (server.address() as AddressInfo).port), expected, text)
      server.close()
    }
  }
})
