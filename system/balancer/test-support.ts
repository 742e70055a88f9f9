// For tests only: pods made of raw sockets or handlers, a balancer in this process, and a raw client.

import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { noHistory } from '../program/history.ts'
import type { Log } from '../program/log.ts'
import type { Endpoint, Resolve } from '../program/resolve.ts'
import { type Balancer, type BalancerOptions, onePool, startBalancer } from './balancer.ts'
import type { BalancerLimits } from './limits.ts'
import { mergeSnapshots, type Totals } from './metrics.ts'

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** What a test closes at its end. */
export interface Owner {
  teardown(close: () => unknown): void
}

export interface FakePod {
  readonly instanceId: string
  readonly port: number
  readonly key: string
  /** Bodies of the requests it got, health checks not counted. */
  readonly bodies: string[]
  readonly requests: IncomingMessage[]
  health: () => { status: number; body: string } | null
  /** Refuses new connections, also those that wait in the backlog; open ones go on. */
  stopListening(): Promise<void>
  /** Closes the listener and every connection at once. */
  kill(): Promise<void>
}

export type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void

/** A pod that answers /health by itself and the rest by `handler` (default: a JSON answer with its id). */
export async function startPod(
  owner: Owner,
  instanceId: string,
  handler: Handler = answerId,
  host = '127.0.0.1',
): Promise<FakePod> {
  const server = createHttpServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      if (request.url === '/health' && request.headers['x-test'] === undefined) {
        const health = pod.health()
        if (health !== null) response.writeHead(health.status).end(health.body)
        return
      }
      pod.bodies.push(body)
      pod.requests.push(request)
      response.setHeader('stepflow-instance-id', instanceId)
      handler(request, body, response)
    })
  })
  server.keepAliveTimeout = 10_000
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pod: FakePod = {
    instanceId,
    port,
    key: `${host}:${port}`,
    bodies: [],
    requests: [],
    health: () => ({ status: 200, body: JSON.stringify({ status: 'healthy', instanceId }) }),
    async stopListening() {
      server.close()
      server.closeIdleConnections()
    },
    async kill() {
      server.closeAllConnections()
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  owner.teardown(() => pod.kill())
  return pod
}

function answerId(_request: IncomingMessage, _body: string, response: ServerResponse): void {
  const instanceId = String(response.getHeader('stepflow-instance-id'))
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ pod: instanceId }))
}

/** A pod of raw sockets: healthy, and `onSocket` gets every connection that is no health check, with its first bytes. */
export async function startRawPod(
  owner: Owner,
  instanceId: string,
  onSocket: (socket: Socket, first: Buffer) => void,
): Promise<{ readonly port: number; readonly key: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', (first) => {
      if (!first.toString('latin1').startsWith('GET /health')) {
        onSocket(socket, first)
        return
      }
      const body = JSON.stringify({ status: 'healthy', instanceId })
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  return { port, key: `127.0.0.1:${port}` }
}

/** Names that tests change at will: `set` replaces the answer. */
export function fakeNames(initial: readonly { port: number }[]): {
  resolve: Resolve
  set(pods: readonly { port: number }[] | Error): void
} {
  let answer: readonly Endpoint[] | Error = toEndpoints(initial)
  return {
    async resolve() {
      if (answer instanceof Error) throw answer
      return { endpoints: answer, ttlSeconds: 0 }
    },
    set(pods) {
      answer = pods instanceof Error ? pods : toEndpoints(pods)
    },
  }
}

function toEndpoints(pods: readonly { port: number }[]): Endpoint[] {
  return pods.map(({ port }) => ({ address: '127.0.0.1', port }))
}

/** A balancer in front of `pods`; resolves once all of them take work. */
export async function startFor(
  owner: Owner,
  pods: readonly { port: number }[],
  limits: Partial<BalancerLimits> = {},
  resolve: Resolve = fakeNames(pods).resolve,
  more: Partial<BalancerOptions> = {},
): Promise<Balancer> {
  const balancer = await startBalancer({
    pools: onePool([{ host: 'pods.test', port: 1 }]),
    bind: { host: '127.0.0.1', port: 0 },
    resolve,
    log: silentLog,
    history: noHistory,
    pod: 'balancer-test',
    limits: { probeIntervalMs: 50, minResolveMs: 50, ...limits },
    ...more,
  })
  owner.teardown(() => balancer.close())
  await until(() => takers(balancer).length === pods.length)
  return balancer
}

/** Keys of the pods that take new work. */
export function takers(balancer: Balancer): string[] {
  return balancer.directory
    .reports()
    .filter(({ state }) => state === 'ready' || state === 'panic')
    .map(({ backend }) => backend)
}

/** Requests in flight at all pods together. */
export function inFlight(balancer: Balancer): number {
  return balancer.directory.reports().reduce((sum, report) => sum + report.inFlight, 0)
}

export async function totals(balancer: Balancer): Promise<Totals> {
  return mergeSnapshots(await Promise.all(balancer.loops.map((loop) => loop.snapshot()))).totals
}

/** Waits for a state that is looked at, not announced. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
  /** Everything as it came. */
  readonly text: string
}

/** A client that writes what it is told and keeps what it gets. */
export class RawClient {
  readonly socket: Socket
  received = ''
  ended = false
  closed = false
  error: NodeJS.ErrnoException | null = null
  #wake: () => void = () => {}

  constructor(owner: Owner, port: number, allowHalfOpen = true) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen })
    this.socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1')
      this.#wake()
    })
    this.socket.on('end', () => {
      this.ended = true
      this.#wake()
    })
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error
    })
    this.socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
    owner.teardown(() => this.socket.destroy())
  }

  write(text: string | Buffer): void {
    if (typeof text === 'string') this.socket.write(text, 'latin1')
    else this.socket.write(text)
  }

  /** Waits until what was received, or the end, makes `condition` true. */
  async until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    const timer = setTimeout(() => this.socket.destroy(new Error(`not within ${timeoutMs} ms`)), timeoutMs)
    while (!condition()) {
      if (this.closed) break
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    clearTimeout(timer)
    if (!condition())
      throw new Error(`closed before ${condition}: ${JSON.stringify(this.received.slice(0, 500))}`)
  }

  /** The next complete answer, taken off what was received. */
  async answer(): Promise<RawAnswer> {
    await this.until(() => completeLength(this.received, this.ended || this.closed) !== -1)
    const length = completeLength(this.received, true)
    const text = this.received.slice(0, length)
    this.received = this.received.slice(length)
    return readAnswer(text)
  }

  /** All that came once the balancer closed. */
  async rest(): Promise<string> {
    await this.until(() => this.ended || this.closed)
    return this.received
  }
}

/** Sends one request on a connection of its own and returns the answer. */
export async function send(owner: Owner, port: number, request: string): Promise<RawAnswer> {
  const client = new RawClient(owner, port)
  client.write(request)
  const answer = await client.answer()
  client.socket.destroy()
  return answer
}

/** A POST as the runtime sends it. */
export function post(body: string, fields = '', target = '/'): string {
  return (
    `POST ${target} HTTP/1.1\r\nhost: pods\r\ncontent-type: application/json\r\n` +
    `accept: application/json, text/event-stream\r\n${fields}content-length: ${Buffer.byteLength(body)}\r\n\r\n` +
    Buffer.from(body).toString('latin1')
  )
}

function readAnswer(text: string): RawAnswer {
  const split = text.indexOf('\r\n\r\n') + 4
  const head = text.slice(0, split)
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head, body: text.slice(split), text }
}

/** Bytes of the first answer in `text`; -1 while it is incomplete. */
function completeLength(text: string, ended: boolean): number {
  const split = text.indexOf('\r\n\r\n')
  if (split === -1) return ended ? text.length : -1
  const head = text.slice(0, split).toLowerCase()
  const length = /\r\ncontent-length: (\d+)/.exec(head)
  if (length !== null) {
    const total = split + 4 + Number(length[1])
    return text.length >= total ? total : ended ? text.length : -1
  }
  if (head.includes('\r\ntransfer-encoding: chunked')) {
    const last = text.indexOf('\r\n0\r\n\r\n', split)
    if (last !== -1) return last + 7
    return ended ? text.length : -1
  }
  if (/^http\/1\.1 (204|304)/.test(head)) return split + 4
  return ended ? text.length : -1
}
