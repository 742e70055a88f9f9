// The HTTP side of a component server: POST / and GET /health in, JSON or an event stream out.

import { createServer } from 'node:net'
import { formatAddress, listen } from '../program/admin.ts'
import { acceptLinks } from '../program/tcp-link.ts'
import type { Answer } from './calls.ts'
import {
  type ConnectionHost,
  type RequestAnswer,
  type ServedConnection,
  serveConnection,
} from './connection.ts'
import { createHeadReader, type RequestHead } from './head.ts'
import type { PostHead } from './messages.ts'

export interface HttpOptions {
  readonly host: string
  readonly port: number
  readonly maxBodyBytes: number
  readonly maxHeldBytes: number
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
 * Milliseconds between two looks at the connections. Their time limits count these looks, not time: while a
 * component blocks the process nobody's time runs out, though their bytes may lie unread in the kernel.
 */
const tickMs = 500

/** Seconds after which a silent connection is asked whether its peer still exists. */
const probeSeconds = 15

const json = 'application/json'
const methodNotAllowed = '{"detail":"Method Not Allowed"}'
const notAcceptable = '{"error":"Accept header must include application/json and text/event-stream"}'

type Shared = { -readonly [Key in keyof ConnectionHost]: ConnectionHost[Key] }

/** @throws GauntletError ERR_LISTEN */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { maxBodyBytes, maxHeldBytes, instanceId } = options
  const connections = new Set<ServedConnection>()
  let onEmpty: (() => void) | null = null
  const host: Shared = {
    maxBodyBytes,
    maxHeldBytes,
    heldBytes: 0,
    instanceId,
    ticks: 0,
    dateLine: dateLineOf(new Date()),
    draining: false,
    readHead: createHeadReader(),
    onRequest: (head, body, answer) => route(options, head, body, answer),
  }

  const timer = setInterval(() => {
    host.ticks++
    host.dateLine = dateLineOf(new Date())
    for (const connection of connections) connection.tick()
  }, tickMs).unref()

  const server = createServer({ allowHalfOpen: true })
  await listen(server, options.host, options.port, '--host and --port')
  const gone = (connection: ServedConnection): void => {
    connections.delete(connection)
    if (connections.size === 0) onEmpty?.()
  }
  acceptLinks(
    server,
    (makeLink) => void connections.add(serveConnection(makeLink, host, gone)),
    // A connection that could not be accepted is one that never was.
    () => {},
    probeSeconds,
  )
  const at = server.address()

  return {
    address: formatAddress(server),
    port: at === null || typeof at === 'string' ? options.port : at.port,
    startDraining() {
      host.draining = true
    },
    // Idle connections end when their client closes them or their time is up, never while it writes to them.
    stopListening: () =>
      new Promise((resolve) => {
        server.close()
        if (connections.size === 0) resolve()
        else onEmpty = resolve
      }),
    close: () =>
      new Promise((resolve) => {
        clearInterval(timer)
        server.close(() => resolve())
        for (const connection of [...connections]) connection.destroy()
      }),
  }
}

/** Paths, methods and headers, checked in the order of Stepflow's worker. */
function route(options: HttpOptions, head: RequestHead, body: Buffer, answer: RequestAnswer): void {
  const { method, path, contentType, accept, pinned, via, traceparent } = head
  if (path === '/health') {
    if (method === 'GET') {
      const { status, body } = options.health()
      answer.send(status, body)
    } else answer.send(405, methodNotAllowed, 'GET')
  } else if (path !== '/') answer.send(404, '{"detail":"Not Found"}')
  else if (method !== 'POST') answer.send(405, methodNotAllowed, 'POST')
  else if (!contentType.includes(json)) answer.send(415, '{"error":"Content-Type must be application/json"}')
  else if (!accept.includes(json) || !accept.includes('text/event-stream')) answer.send(406, notAcceptable)
  else options.onPost(body, { pinned, via, traceparent }, answer)
}

function dateLineOf(now: Date): string {
  return `date: ${now.toUTCString()}\r\n`
}
