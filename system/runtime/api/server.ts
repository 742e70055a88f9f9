// The HTTP side of the API: bytes to requests, replies to bytes; what they mean is said in the other files.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { TSchema } from '@sinclair/typebox'
import { Refusal } from './errors.ts'

export interface ApiRequest {
  readonly method: string
  /** Values of the path's parameters, decoded. */
  readonly parameters: readonly string[]
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface ApiReply {
  readonly status: number
  readonly body: string
  /** Default `application/json`; ignored for an empty body. */
  readonly type?: string
  readonly headers?: readonly string[]
}

export type ApiHandler = (request: ApiRequest) => ApiReply | Promise<ApiReply>

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** `/api/v1/runs/:/steps`, where `:` stands for one segment. */
  readonly path: string
  readonly handle: ApiHandler
  readonly docs: RouteDocs
}

/** What the description of the API says of a route. */
export interface RouteDocs {
  readonly summary: string
  /** Parameter names of the path, in order. */
  readonly path?: readonly string[]
  readonly query?: Readonly<Record<string, TSchema>>
  readonly body?: TSchema
  /** Answers by status. */
  readonly replies: Readonly<Record<number, TSchema | string>>
}

export interface ApiServerOptions {
  readonly routes: readonly ApiRoute[]
  /** Bytes a request's body may have; Stepflow's limit is 2 MiB. */
  readonly maxBodyBytes: number
  /** Not null: answer 503 with this text, and close the connection. */
  readonly refusing: () => string | null
  readonly onError: (error: unknown) => void
}

const cors = [
  'vary',
  'origin, access-control-request-method, access-control-request-headers',
  'access-control-allow-origin',
  '*',
]

const closing = ['connection', 'close']

export function createApiServer(options: ApiServerOptions): Server {
  const find = createFinder(options.routes)
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (error instanceof Refusal && !response.headersSent) {
        send(response, error.reply)
        return
      }
      options.onError(error)
      if (!response.headersSent)
        send(response, { status: 500, body: '{"code":500,"message":"internal error"}' })
    })
  })
  // Connections outlive the 4 s for which careful clients keep them.
  server.keepAliveTimeout = 65_000
  server.headersTimeout = 10_000
  server.requestTimeout = 60_000

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const path = mark === -1 ? url : url.slice(0, mark)
    const found = find(path)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const refusal = options.refusing()
    if (refusal !== null && method === 'POST') {
      request.resume()
      return send(response, {
        status: 503,
        body: JSON.stringify({ code: 503, message: refusal }),
        headers: closing,
      })
    }
    if (request.method === 'OPTIONS') {
      request.resume()
      return send(response, {
        status: 200,
        body: '',
        headers: [
          'access-control-allow-methods',
          '*',
          'access-control-allow-headers',
          '*',
          'allow',
          'POST,GET,HEAD',
        ],
      })
    }
    const route = found?.routes.find((candidate) => candidate.method === method)
    if (found === null || route === undefined) {
      request.resume()
      return send(response, { status: found === null ? 404 : 405, body: '' })
    }
    const body = await readBody(request, options.maxBodyBytes)
    if (body === null) {
      return send(response, {
        status: 413,
        body: 'Failed to buffer the request body: length limit exceeded',
        type: 'text/plain; charset=utf-8',
        headers: closing,
      })
    }
    const reply = await route.handle({
      method: route.method,
      parameters: found.parameters,
      query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
      headers: request.headers,
      body,
    })
    // A server that ends closes connections as they fall idle.
    if (options.refusing() !== null) response.shouldKeepAlive = false
    send(response, reply)
  }
  return server
}

function send(response: ServerResponse, reply: ApiReply): void {
  const headers: string[] = [...cors, 'content-length', String(Buffer.byteLength(reply.body))]
  if (reply.body !== '') headers.push('content-type', reply.type ?? 'application/json')
  if (reply.headers !== undefined) headers.push(...reply.headers)
  response.writeHead(reply.status, headers)
  response.end(reply.body)
}

/** Null where it is longer than `limit`. */
function readBody(request: IncomingMessage, limit: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= limit) chunks.push(chunk)
      else resolve(null)
    })
    request.on('end', () => {
      const [first] = chunks
      resolve(
        chunks.length === 1 && first !== undefined ? first.toString() : Buffer.concat(chunks).toString(),
      )
    })
    request.on('error', reject)
  })
}

interface Found {
  readonly routes: readonly ApiRoute[]
  readonly parameters: readonly string[]
}

/** Paths without parameters by a map, the few others by their segments. */
function createFinder(routes: readonly ApiRoute[]): (path: string) => Found | null {
  const fixed = new Map<string, ApiRoute[]>()
  const open = new Map<string, { segments: readonly string[]; routes: ApiRoute[] }>()
  for (const route of routes) {
    if (!route.path.includes(':')) {
      const list = fixed.get(route.path)
      if (list === undefined) fixed.set(route.path, [route])
      else list.push(route)
      continue
    }
    const known = open.get(route.path)
    if (known === undefined) open.set(route.path, { segments: route.path.split('/'), routes: [route] })
    else known.routes.push(route)
  }
  return (path) => {
    const exact = fixed.get(path)
    if (exact !== undefined) return { routes: exact, parameters: [] }
    const parts = path.split('/')
    for (const { segments, routes: list } of open.values()) {
      if (segments.length !== parts.length) continue
      if (!segments.every((segment, index) => segment === ':' || segment === parts[index])) continue
      const parameters = parts.filter((_, index) => segments[index] === ':').map(decode)
      if (parameters.every((parameter) => parameter !== '')) return { routes: list, parameters }
    }
    return null
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
