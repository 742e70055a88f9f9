// Tests of the HTTP client on real sockets: what it reuses, what it never sends twice, what it says on failure.

import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import t from 'tap'
import type { Resolve } from '../../program/resolve.ts'
import { createHttpClient, type HttpClient, type TransportError } from './client.ts'

interface Teardown {
  teardown(end: () => void): void
}

interface Answer {
  status: number
  type: string
  pod: string | undefined
  body: string
  error: TransportError | null
}

const post = (client: HttpClient, body: string, pod: string | null = null): Promise<Answer> =>
  new Promise((resolve) => {
    const answer: Answer = { status: 0, type: '', pod: undefined, body: '', error: null }
    client.post(body, pod, {
      onHead: (status, type, instanceId) => Object.assign(answer, { status, type, pod: instanceId }),
      onData: (bytes) => {
        answer.body += bytes.toString()
      },
      onEnd: () => resolve(answer),
      onError: (error) => resolve({ ...answer, error }),
    })
  })

const serve = async (t: Teardown, handle: (request: IncomingMessage, response: ServerResponse) => void) => {
  const server = createServer(handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

const clientOf = (t: Teardown, ports: readonly number[], path = '/', connectTimeoutMs = 2000): HttpClient => {
  const resolve: Resolve = async () => ({
    endpoints: ports.map((port) => ({ address: '127.0.0.1', port })),
    ttlSeconds: null,
  })
  const client = createHttpClient({
    url: new URL(`http://pods.test${path}`),
    resolve,
    connectTimeoutMs,
  })
  t.teardown(() => client.close())
  return client
}

t.test('sends exactly the headers of the protocol, and keeps the connection', async (t) => {
  const seen: string[][] = []
  const sockets = new Set<Socket>()
  const { port } = await serve(t, (request, response) => {
    seen.push(request.rawHeaders)
    sockets.add(request.socket)
    request.resume().on('end', () => response.setHeader('stepflow-instance-id', 'p-1').end('ok'))
  })
  const client = clientOf(t, [port], '/rpc?x=1')
  t.match(await post(client, '"é"'), { status: 200, body: 'ok', pod: 'p-1', error: null })
  await post(client, '1', 'pod-7')
  t.same(seen, [
    [
      'host',
      'pods.test',
      'content-type',
      'application/json',
      'accept',
      'application/json, text/event-stream',
      'content-length',
      '4',
    ],
    [
      ...[
        'host',
        'pods.test',
        'content-type',
        'application/json',
        'accept',
        'application/json, text/event-stream',
      ],
      ...['stepflow-instance-id', 'pod-7', 'content-length', '1'],
    ],
  ])
  t.equal(sockets.size, 1)
})

t.test('hundreds of open answers do not hold up another request', async (t) => {
  const held: ServerResponse[] = []
  const { port } = await serve(t, (request, response) => {
    request.on('data', (bytes: Buffer) => {
      if (bytes.toString() !== 'hold') response.end('now')
      else {
        response.writeHead(200).flushHeaders()
        held.push(response)
      }
    })
  })
  const client = clientOf(t, [port])
  const open = Array.from({ length: 300 }, () => post(client, 'hold'))
  t.match(await post(client, 'x'), { body: 'now' })
  while (held.length < 300) await new Promise((resolve) => setImmediate(resolve))
  for (const response of held) response.end('later')
  for (const answer of await Promise.all(open)) t.equal(answer.body, 'later')
})

t.test('says that nobody was reached, and that nothing was sent', async (t) => {
  const { server, port } = await serve(t, () => {})
  server.close()
  await once(server, 'close')
  const { error } = await post(clientOf(t, [port]), '1')
  t.match(error, { unsent: true, reason: 'refused', message: /ECONNREFUSED/ })
  const lost = createHttpClient({
    url: new URL('http://nowhere.test'),
    resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    connectTimeoutMs: 2000,
  })
  t.match(await post(lost, '1'), { error: { unsent: true, reason: 'unresolved' } })
})

t.test('a resolver that goes silent holds up nobody', async (t) => {
  const { port } = await serve(t, (_request, response) => response.setHeader('connection', 'close').end('ok'))
  let silent = true
  let asked = 0
  const resolve: Resolve = () => {
    asked++
    const endpoints = [{ address: '127.0.0.1', port }]
    return silent ? new Promise(() => {}) : Promise.resolve({ endpoints, ttlSeconds: 0 })
  }
  const options = { url: new URL('http://pods.test/'), resolve, connectTimeoutMs: 50 }
  const never = createHttpClient(options)
  const problem = {
    unsent: true,
    reason: 'unresolved',
    message: /cannot resolve pods.test: not within 50 ms/,
  }
  t.match(await Promise.all([post(never, '1'), post(never, '2')]), [{ error: problem }, { error: problem }])
  t.equal(asked, 1, 'both shared one question')

  silent = false
  const client = createHttpClient(options)
  t.teardown(() => client.close())
  t.match(await post(client, '1'), { status: 200 })
  silent = true
  t.match(await post(client, '2'), { status: 200 }, 'its last answer serves')
})

t.test('gives up on an address that accepts nobody', async (t) => {
  // Stopped, and its queue full: the kernel answers no further connection.
  const script =
    "require('net').createServer().listen({port:0,backlog:1},function(){console.log(this.address().port)})"
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  const fillers: Socket[] = []
  t.teardown(async () => {
    for (const filler of fillers) filler.destroy()
    child.kill('SIGKILL')
    await exited
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(line.toString())
  child.kill('SIGSTOP')
  for (let filler = 0; filler < 2; filler++) {
    const socket = connect(port, '127.0.0.1')
    fillers.push(socket)
    await once(socket, 'connect')
  }
  const { error } = await post(clientOf(t, [port], '/', 100), '1')
  t.match(error, { unsent: true, reason: 'timeout' })
})

t.test('goes to the next address where one refuses', async (t) => {
  const { server, port: dead } = await serve(t, () => {})
  server.close()
  await once(server, 'close')
  const { port } = await serve(t, (_, response) => void response.end('alive'))
  const client = clientOf(t, [dead, port])
  t.match(await post(client, '1'), { body: 'alive' })
})

t.test('never sends a second time when the connection breaks', async (t) => {
  let requests = 0
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => {
      requests++
      if (requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      else socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const client = clientOf(t, [(server.address() as AddressInfo).port])
  t.match(await post(client, '1'), { body: 'ok' })
  t.match(await post(client, '2'), { error: { unsent: false, reason: 'reset' } })
  t.equal(requests, 2)
})

t.test('a cut answer is an error with what arrived', async (t) => {
  const { port } = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n', () => response.destroy())
  })
  t.match(await post(clientOf(t, [port]), '1'), {
    status: 200,
    body: 'data: 1\n\n',
    error: { unsent: false },
  })
})

t.test('a request given up says nothing more and closes its connection', async (t) => {
  const gone = new EventEmitter()
  const { port } = await serve(t, (request, response) => {
    request.socket.on('close', () => gone.emit('gone'))
    response.write('x')
  })
  const client = clientOf(t, [port])
  const closed = once(gone, 'gone')
  const said: string[] = []
  let giveUp = (): void => {}
  await new Promise<void>((resolve) => {
    giveUp = client.post('1', null, {
      onHead() {},
      onData: () => resolve(),
      onEnd: () => said.push('end'),
      onError: (error) => said.push(error.message),
    })
  })
  giveUp()
  await closed
  t.same(said, [])
})

t.test('a request given up before it is sent is never sent', async (t) => {
  let requests = 0
  const { port } = await serve(t, (_, response) => {
    requests++
    response.end()
  })
  const client = clientOf(t, [port])
  const handler = { onHead() {}, onData() {}, onEnd() {}, onError() {} }
  client.post('1', null, handler)()
  await post(client, '2')
  t.equal(requests, 1)
})

t.test('closing fails what is under way', async (t) => {
  const { port } = await serve(t, () => {})
  const client = clientOf(t, [port])
  const answer = post(client, '1')
  setImmediate(() => client.close())
  t.match(await answer, { error: { reason: 'reset' } })
})
