// The HTTP side of a component server: POST / and GET /health in, JSON or an event stream out.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { formatAddress, listen } from '../program/admin.ts'
import { encodeEvent } from '../wire/sse.ts'
import { type Answer, refusal } from './calls.ts'
import type { PostHead } from './messages.ts'

export interface HttpOptions {
  readonly host: string
  readonly port: number
  readonly maxBodyBytes: number
  readonly instanceId: string
  readonly onPost: (body: Buffer, head: PostHead, answer: Answer) => void
  /** Status and body of GET /health. */
  readonly health: () => { readonly status: number; readonly body: string }
}

export interface HttpServer {
  /** `address:port` */
  readonly address: string
  readonly port: number
  /** From now on each answer closes its connection, so that clients go elsewhere. */
  startDraining(): void
  /** Takes no new connection; resolves when the last one has ended by itself. */
  stopListening(): Promise<void>
  /** Ends every connection at once. */
  close(): Promise<void>
}

/**
 * How long an idle connection is kept, in ms. Clients of this protocol close theirs after 4 s and the real
 * worker its own after 5 s; whoever closes first while the other writes loses a request, so it is not us.
 */
const keepAliveMs = 6_000

const json = 'application/json'
const methodNotAllowed = '{"detail":"Method Not Allowed"}'
const notAcceptable = '{"error":"Accept header must include application/json and text/event-stream"}'

/** @throws GauntletError ERR_LISTEN */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const sockets = new Set<Socket>()
  let draining = false

  const server = createServer((request, response) => {
    if (draining) response.shouldKeepAlive = false
    const query = request.url?.indexOf('?') ?? -1
    const path = query === -1 ? request.url : request.url?.slice(0, query)
    if (path === '/health') {
      if (request.method === 'GET') {
        const { status, body } = options.health()
        send(response, status, body)
      } else refuse(response, 405, methodNotAllowed, 'GET')
    } else if (path !== '/') refuse(response, 404, '{"detail":"Not Found"}')
    else if (request.method !== 'POST') refuse(response, 405, methodNotAllowed, 'POST')
    else receive(request, response)
  })

  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    const { accept = '', 'content-type': type = '' } = request.headers
    if (!type.includes(json)) {
      refuse(response, 415, '{"error":"Content-Type must be application/json"}')
      return
    }
    if (!accept.includes(json) || !accept.includes('text/event-stream')) {
      refuse(response, 406, notAcceptable)
      return
    }
    const { via, 'stepflow-instance-id': pinned } = request.headers
    readBody(request, options.maxBodyBytes, (body) => {
      if (body === null) {
        response.shouldKeepAlive = false
        send(response, 413, refusal(`Body is larger than ${options.maxBodyBytes} bytes`))
      } else {
        const answer = answerOn(response, options.instanceId)
        options.onPost(body, { pinned: typeof pinned === 'string' ? pinned : undefined, via }, answer)
      }
    })
  }
  server.keepAliveTimeout = keepAliveMs
  server.headersTimeout = 10_000
  server.requestTimeout = 60_000
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await listen(server, options.host, options.port, '--host and --port')

  return {
    address: formatAddress(server),
    port: portOf(server),
    startDraining() {
      draining = true
    },
    // node:http's own close ends idle connections at once, also one whose client is just writing to it.
    stopListening: () =>
      new Promise((resolve) => {
        NetServer.prototype.close.call(server, () => resolve())
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function answerOn(response: ServerResponse, instanceId: string): Answer {
  const answer: Answer = {
    onAbort: null,
    send: (status, body) => send(response, status, body),
    openStream() {
      response.writeHead(200, {
        'stepflow-instance-id': instanceId,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      })
      response.flushHeaders()
    },
    writeEvent: (event) => {
      if (!response.destroyed) response.write(encodeEvent(event))
    },
    endStream: (event) => {
      if (!response.destroyed) response.end(encodeEvent(event))
    },
  }
  response.on('close', () => answer.onAbort?.())
  return answer
}

function send(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': json, 'content-length': Buffer.byteLength(body) }).end(body)
}

function refuse(response: ServerResponse, status: number, body: string, allow?: string): void {
  if (allow !== undefined) response.setHeader('allow', allow)
  send(response, status, body)
}

/** Null where the body is larger than the limit. */
function readBody(request: IncomingMessage, limit: number, done: (body: Buffer | null) => void): void {
  let chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= limit) chunks.push(chunk)
    else if (bytes - chunk.length <= limit) {
      chunks = []
      done(null)
    }
  })
  request.on('end', () => {
    if (bytes <= limit) done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
  })
}

function portOf(server: Server): number {
  const at = server.address()
  return at === null || typeof at === 'string' ? 0 : at.port
}
