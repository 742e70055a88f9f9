// The admin listener of all three programs: /livez, /readyz and /metrics, away from the traffic port.

import { createServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import type { Registry } from 'prom-client'
import { GauntletError } from '../../contracts/errors.ts'
import { parseAddress } from './flags.ts'
import { outgoing } from './outgoing.ts'

export interface Admin {
  /** `address:port` it listens on. */
  readonly address: string
  close(): Promise<void>
}

export interface AdminOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string
  readonly registry: Registry
  /** `null`: ready; else why not, in a few words. Pods that drain are not ready. */
  readonly notReady: () => string | null
  /** Further paths of one program: answers a GET, or undefined for 404. */
  readonly extra?: (path: string) => AdminAnswer | undefined
  /** Commands of one program: answers a POST, or undefined for 404. */
  readonly act?: (path: string) => AdminAnswer | Promise<AdminAnswer> | undefined
}

export interface AdminAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** @throws GauntletError ERR_LISTEN */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0]
    const send = (status: number, type: string, body: string): void => {
      response
        .writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
        .end(body)
    }
    if (request.method === 'POST' && options.act !== undefined) {
      request.resume()
      Promise.resolve(options.act(path ?? '/')).then(
        (answer) =>
          answer === undefined
            ? send(404, 'text/plain', 'not found\n')
            : send(answer.status, answer.type, answer.body),
        (error: unknown) => send(500, 'text/plain', `${String(error)}\n`),
      )
      return
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'use GET\n')
    if (path === '/livez') return send(200, 'text/plain', 'ok\n')
    if (path === '/readyz') {
      const reason = options.notReady()
      return reason === null ? send(200, 'text/plain', 'ok\n') : send(503, 'text/plain', `${reason}\n`)
    }
    if (path === '/metrics') {
      outgoing.beforeFigures?.()
      options.registry.metrics().then(
        (text) => send(200, options.registry.contentType, text),
        (error: unknown) => send(500, 'text/plain', `${String(error)}\n`),
      )
      return
    }
    const extra = options.extra?.(path ?? '/')
    return extra === undefined
      ? send(404, 'text/plain', 'not found\n')
      : send(extra.status, extra.type, extra.body)
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 5_000
  const at = parseAddress(options.address)
  if (at === null) {
    throw new GauntletError('ERR_FLAG_VALUE', `got ${options.address}`, {
      field: '--admin-address',
      fix: 'use host:port',
    })
  }
  await listen(server, at.host, at.port, '--admin-address')
  return {
    address: formatAddress(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * Listens, or says which flag to change.
 * @throws GauntletError ERR_LISTEN
 */
export function listen(server: Server, host: string, port: number, flag: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new GauntletError('ERR_LISTEN', `cannot listen on ${host}:${port}: ${error.code ?? error.message}`, {
          field: flag,
          value: `${host}:${port}`,
          fix:
            error.code === 'EADDRINUSE'
              ? 'stop what holds it or choose another port'
              : 'choose another address',
          cause: error,
        }),
      )
    })
    server.listen(port, host, () => resolve())
  })
}

/** `address:port` of a listening server, IPv6 in brackets. */
export function formatAddress(server: { address(): AddressInfo | string | null }): string {
  const at = server.address()
  if (at === null || typeof at === 'string') return String(at)
  return at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`
}
