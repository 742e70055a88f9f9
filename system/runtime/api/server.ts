// The API's routes on the HTTP server: which handler a request goes to, and what every answer has in common.

import type { TSchema } from '@sinclair/typebox'
import { createHttpServer, type HttpReply, type HttpRequest, type HttpServer } from '../http/server.ts'
import { Refusal } from './errors.ts'

export type ApiReply = HttpReply

export interface ApiRequest {
  /** Values of the path's parameters, decoded. */
  readonly parameters: readonly string[]
  /** The query, without its question mark; `new URLSearchParams` reads it. */
  readonly query: string
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** The body byte for byte, as latin1, where it is no UTF-8. */
  readonly notUtf8?: string | undefined
  /** True: the body was made of another text, so places in it mean nothing to the sender. */
  readonly converted?: boolean
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
  /** What generated clients call it; the real runtime's name. */
  readonly operation: string
  readonly summary: string
  /** Parameter names of the path, in order. */
  readonly path?: readonly string[]
  readonly query?: Readonly<Record<string, TSchema>>
  readonly headers?: Readonly<Record<string, TSchema>>
  readonly body?: TSchema
  /** What YAML may be sent in its stead. */
  readonly yaml?: TSchema
  /** Answers by status. */
  readonly replies: Readonly<Record<number, TSchema | string>>
}

export interface ApiServerOptions {
  readonly routes: readonly ApiRoute[]
  /** Bytes a request's body may have; Stepflow's limit is 2 MiB. */
  readonly maxBodyBytes: number
  /** Not null: answer POSTs with 503 and this text, and close connections as they fall idle. */
  readonly refusing: () => string | null
  readonly onError: (error: unknown) => void
}

const commonHead =
  'vary: origin, access-control-request-method, access-control-request-headers\r\naccess-control-allow-origin: *\r\n'

/** What a preflight request gets: everything is allowed. */
function allowAll(routes: readonly ApiRoute[]): ApiReply {
  const headers = ['access-control-allow-methods', '*', 'access-control-allow-headers', '*']
  if (routes.length > 0) headers.push('allow', methodsOf(routes))
  return { status: 200, body: '', headers }
}

function methodsOf(routes: readonly ApiRoute[]): string {
  return routes.map(({ method }) => (method === 'GET' ? 'GET,HEAD' : method)).join(',')
}

export function createApiServer(options: ApiServerOptions): HttpServer {
  const find = createFinder(options.routes)

  const failed = (error: unknown): ApiReply => {
    if (error instanceof Refusal) return error.reply
    options.onError(error)
    return { status: 500, body: '{"code":500,"message":"internal error"}' }
  }
  const answer = ({ head, body, notUtf8 }: HttpRequest): ApiReply | Promise<ApiReply> => {
    const { target, fields } = head
    const mark = target.indexOf('?')
    const found = find(mark === -1 ? target : target.slice(0, mark))
    const method = head.method === 'HEAD' ? 'GET' : head.method
    const refusal = method === 'POST' ? options.refusing() : null
    if (refusal !== null) return { status: 503, body: JSON.stringify({ code: 503, message: refusal }) }
    if (method === 'OPTIONS') return allowAll(found?.routes ?? [])
    const route = found?.routes.find((candidate) => candidate.method === method)
    if (found === null) return { status: 404, body: '' }
    if (route === undefined) return { status: 405, body: '', headers: ['allow', methodsOf(found.routes)] }
    try {
      const reply = route.handle({
        parameters: found.parameters,
        query: mark === -1 ? '' : target.slice(mark + 1),
        headers: fields,
        body,
        notUtf8,
      })
      return reply instanceof Promise ? reply.catch(failed) : reply
    } catch (error) {
      return failed(error)
    }
  }

  return createHttpServer({
    maxBodyBytes: options.maxBodyBytes,
    commonHead,
    answer,
    refuse: (status, problem) => ({
      status,
      body: status === 413 ? 'Failed to buffer the request body: length limit exceeded' : problem,
      type: 'text/plain; charset=utf-8',
    }),
    closing: () => options.refusing() !== null,
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
