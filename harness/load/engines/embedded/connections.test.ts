import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import t, { type Test } from 'tap'
import { type Connections, openConnections, type Reply } from './connections.ts'

t.test('closes an idle connection before a server would', async (t) => {
  // A server that closes after 5 s and does not say so: its hint would make undici close earlier by itself.
  const server = createTcpServer((socket) => {
    socket.setTimeout(5_000, () => socket.destroy())
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  const connections = await connect(t, server)
  const accepted = once(server, 'connection')
  t.match(await post(connections), { kind: 'answer', status: 200, body: 'ok' })
  const [socket] = (await accepted) as [Socket]
  let endedByClient = false
  socket.once('end', () => {
    endedByClient = true
  })
  await once(socket, 'close')
  t.ok(endedByClient)
})

t.test('opens some connections before it uses one again, the least recently used first', async (t) => {
  const ports: (number | undefined)[] = []
  const { connections } = await open(t, (response) => {
    ports.push(response.socket?.remotePort)
    response.end()
  })
  for (let i = 0; i < 24; i++) await post(connections)
  t.equal(new Set(ports).size, 8)
  t.same(ports.slice(8, 16), ports.slice(0, 8))
  t.same(ports.slice(16), ports.slice(0, 8))
})

t.test('gives up connections that the last seconds did not need', async (t) => {
  const held: ServerResponse[] = []
  const { connections } = await open(t, (response) => {
    held.push(response)
    if (held.length === 30) for (const each of held) each.end()
  })
  await Promise.all(Array.from({ length: 30 }, () => post(connections)))
  t.equal(connections.size, 30)
  for (let second = 1; second <= 3; second++) {
    connections.trim()
    t.equal(connections.size, 30, `the peak is ${second} s old`)
  }
  connections.trim()
  t.equal(connections.size, 8)
})

t.test('a cancelled request says whether it was sent, and its connection is not used again', async (t) => {
  const requests: ServerResponse[] = []
  const { connections, server } = await open(t, (response) => requests.push(response))
  const arrived = once(server, 'request')
  const cancel = connections.post('/', {}, '{}', () => t.fail('an answer after the cancellation'))
  await arrived
  t.equal(cancel(), true)
  t.equal(connections.size, 0)
  const unsent = connections.post('/', {}, '{}', () => t.fail('an answer after the cancellation'))
  t.equal(unsent(), false, 'not connected yet')
})

t.test('an answer over the limit is broken off', async (t) => {
  const { connections } = await open(t, (response) => {
    response.on('error', () => {})
    const chunk = Buffer.alloc(1024 * 1024, 32)
    const fill = (): void => {
      while (response.write(chunk));
      response.once('drain', fill)
    }
    fill()
  })
  t.match(await post(connections), { kind: 'broken', error: /answer over 67108864 bytes/ })
})

async function open(t: Test, answer: (response: ServerResponse) => void) {
  const server: Server = createServer((request, response) => {
    request.resume().on('end', () => answer(response))
  })
  t.teardown(() => server.closeAllConnections())
  return { server, connections: await connect(t, server) }
}

async function connect(t: Test, server: TcpServer): Promise<Connections> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const connections = openConnections(`http://127.0.0.1:${address.port}`)
  t.teardown(async () => {
    await connections.close()
    server.close()
  })
  return connections
}

function post(connections: Connections): Promise<Reply> {
  return new Promise((resolve) => {
    connections.post('/', { 'content-type': 'application/json' }, '{}', resolve)
  })
}
