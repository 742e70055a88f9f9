// Tests of the Service proxy, by what client and pod see on their sockets.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import type { Endpoint } from './addresses.ts'
import { type ServiceProxy, startServiceProxy } from './service-proxy.ts'

interface PodServer {
  readonly at: Endpoint
  readonly sockets: Socket[]
  close(): void
}

/** A pod that says its name to each connection, and what `serve` does then. */
async function pod(
  name: string,
  serve: (socket: Socket) => void = (socket) => socket.end(),
): Promise<PodServer> {
  const sockets: Socket[] = []
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.write(`${name}\n`)
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    at: { address: '127.0.0.1', port },
    sockets,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function proxyFor(pods: readonly PodServer[], refuseWhenEmpty = false): Promise<ServiceProxy> {
  const address = { address: '127.0.0.1', port: await freePort() }
  const proxy = startServiceProxy({ address, refuseWhenEmpty, log: () => {} })
  proxy.update(pods.map(({ at }) => at))
  return proxy
}

/** Waits for the listener, which takes a turn of the event loop to come up. */
async function dial({ address }: ServiceProxy): Promise<Socket> {
  for (;;) {
    const socket = connect({ host: address.address, port: address.port, allowHalfOpen: true })
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
    }
  }
}

const said = async (proxy: ServiceProxy): Promise<string> => {
  const socket = await dial(proxy)
  const answer = await text(socket)
  socket.destroy()
  return answer.trim()
}

test('gives new connections to the ready pods in turn', async (t) => {
  const pods = [await pod('a'), await pod('b')]
  const proxy = await proxyFor(pods)
  t.same([await said(proxy), await said(proxy), await said(proxy), await said(proxy)], ['a', 'b', 'a', 'b'])
  proxy.update([pods[1]!.at])
  t.same([await said(proxy), await said(proxy)], ['b', 'b'])
  proxy.close()
  for (const one of pods) one.close()
})

test('leaves an open connection with its pod when that is not ready any more', async (t) => {
  const a = await pod('a', (socket) => socket.pipe(socket))
  const proxy = await proxyFor([a])
  const socket = await dial(proxy)
  await once(socket, 'data')
  proxy.update([])
  socket.end('still there')
  t.equal(await text(socket), 'still there')
  proxy.close()
  a.close()
})

test('carries the end of one direction while the other goes on', async (t) => {
  const a = await pod('a', (socket) => {
    let received = ''
    socket.setEncoding('utf8').on('data', (part: string) => (received += part))
    socket.on('end', () => socket.end(`heard ${received}`))
  })
  const proxy = await proxyFor([a])
  const socket = await dial(proxy)
  socket.end('hello')
  t.equal(await text(socket), 'a\nheard hello')
  proxy.close()
  a.close()
})

test('carries a reset both ways', async (t) => {
  const a = await pod('a', (socket) => socket.resume())
  const proxy = await proxyFor([a])
  const first = await dial(proxy)
  await once(first, 'data')
  a.sockets[0]!.resetAndDestroy()
  const [error] = (await once(first, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNRESET')
  const second = await dial(proxy)
  await once(second, 'data')
  second.resetAndDestroy()
  const [podError] = (await once(a.sockets[1]!, 'error')) as [NodeJS.ErrnoException]
  t.equal(podError.code, 'ECONNRESET')
  proxy.close()
  a.close()
})

test('asks the next pod when one refuses, and resets when all do', async (t) => {
  const a = await pod('a')
  const dead = { address: '127.0.0.1', port: await freePort() }
  const proxy = await proxyFor([a])
  proxy.update([dead, a.at])
  t.same([await said(proxy), await said(proxy), await said(proxy)], ['a', 'a', 'a'])
  proxy.update([dead])
  const socket = await dial(proxy)
  const [error] = (await once(socket.resume(), 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNRESET')
  proxy.close()
  a.close()
})

test('refuses connections while no pod is ready, where its port is safe meanwhile', async (t) => {
  const a = await pod('a')
  const proxy = await proxyFor([], true)
  const refused = async (): Promise<string | undefined> => {
    const socket = connect(proxy.address.port, proxy.address.address)
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    return error.code
  }
  t.equal(await refused(), 'ECONNREFUSED')
  proxy.update([a.at])
  t.equal(await said(proxy), 'a')
  proxy.update([])
  t.equal(await refused(), 'ECONNREFUSED')
  proxy.update([a.at])
  t.equal(await said(proxy), 'a')
  proxy.close()
  a.close()
})

test('lets a reader that stalls hold back its writer', async (t) => {
  let written = 0
  const chunk = Buffer.alloc(64 * 1024)
  let stalled: () => void = () => {}
  const whenStalled = new Promise<void>((resolve) => {
    stalled = resolve
  })
  const total = 64 * 1024 * 1024
  const a = await pod('a', (socket) => {
    const fill = (): void => {
      while (written < total) {
        written += chunk.length
        if (!socket.write(chunk)) return void socket.once('drain', fill)
      }
      socket.end()
    }
    fill()
    let last = -1
    const watch = setInterval(() => {
      if (last === written) {
        clearInterval(watch)
        stalled()
      }
      last = written
    }, 200)
  })
  const proxy = await proxyFor([a])
  const socket = await dial(proxy)
  await whenStalled
  t.ok(written < total / 2, `stopped after ${written} bytes`)
  let received = 0
  for await (const part of socket) received += (part as Buffer).length
  t.equal(received, total + 'a\n'.length, 'and nothing is lost')
  proxy.close()
  a.close()
})

test('ends every connection when it closes', async (t) => {
  const a = await pod('a', (socket) => socket.resume())
  const proxy = await proxyFor([a])
  const socket = await dial(proxy)
  await once(socket, 'data')
  proxy.close()
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNRESET')
  a.close()
})
