// The runtime's HTTP client: one POST a connection at a time, as many connections as calls, none idle for long.

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Dispatcher, Pool } from 'undici'
import type { Endpoint, Resolve } from '../../../program/resolve.ts'

/** What arrives of an answer. */
export interface AnswerHandler {
  onHead(status: number, contentType: string, instanceId: string | undefined): void
  onData(chunk: Uint8Array): void
  /** The answer is whole. */
  onEnd(): void
  /** No whole answer will come. Not called after `onEnd`, nor after `abort`. */
  onError(error: TransportError): void
}

/** Why a request got no whole answer. */
export class TransportError extends Error {
  /** True: not a byte of the request was written, so nothing can have run. */
  readonly unsent: boolean
  /** `refused`, `timeout` or `unresolved` before the request; `reset` after it. */
  readonly reason: string

  constructor(message: string, reason: string, unsent: boolean, cause: unknown) {
    super(message, { cause })
    this.name = 'TransportError'
    this.reason = reason
    this.unsent = unsent
  }
}

export interface HttpClient {
  /** Sends a POST once: it is never repeated. Returns what ends it without a further word. */
  post(body: string, instanceId: string | null, handler: AnswerHandler): () => void
  close(): Promise<void>
}

export interface HttpClientOptions {
  readonly url: URL
  readonly resolve: Resolve
  /** Default 2,000. */
  readonly connectTimeoutMs?: number
}

/** Servers close idle connections after 5 s or more; ours go before, so that none is used as it closes. */
const keepAliveMs = 3_500

/** Connections are renewed after this long, so that new balancers get their share. */
const connectionLifeMs = 20_000

/** How long an answer of the resolver without a TTL is kept. */
const addressLifeMs = 1_000

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { url } = options
  const pool = new Pool(url.origin, {
    connections: null,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    clientTtl: connectionLifeMs,
    // A working component may be silent for long; the deadline of the step is the only clock.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: createConnector(url, options.resolve, options.connectTimeoutMs ?? 2_000),
  })
  const path = `${url.pathname}${url.search}`
  const plainHeaders = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream']
  return {
    post(body, instanceId, handler) {
      let over = false
      let started: Dispatcher.DispatchController | null = null
      const request: Dispatcher.DispatchHandler = {
        onRequestStart(controller) {
          started = controller
          if (over) controller.abort(new Error('ended'))
        },
        onResponseStart(_controller, status, headers) {
          if (over) return
          const type = headers['content-type']
          const instance = headers['stepflow-instance-id']
          handler.onHead(
            status,
            typeof type === 'string' ? type : '',
            typeof instance === 'string' ? instance : undefined,
          )
        },
        onResponseData(_controller, chunk) {
          if (!over) handler.onData(chunk)
        },
        onResponseEnd() {
          if (over) return
          over = true
          handler.onEnd()
        },
        onResponseError(_controller, error) {
          if (over) return
          over = true
          handler.onError(
            error instanceof TransportError
              ? error
              : new TransportError(error.message, 'reset', false, error),
          )
        },
      }
      pool.dispatch(
        {
          path,
          method: 'POST',
          headers: instanceId === null ? plainHeaders : [...plainHeaders, 'stepflow-instance-id', instanceId],
          body,
        },
        request,
      )
      return () => {
        if (over) return
        over = true
        started?.abort(new Error('ended'))
      }
    },
    close: () => pool.destroy(),
  }
}

type Connector = (
  options: unknown,
  callback: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
) => void

/** Connects to the addresses behind the URL's host in turn; a refused one gives way to the next. */
function createConnector(url: URL, resolve: Resolve, timeoutMs: number): Connector {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  let known: { endpoints: readonly Endpoint[]; until: number } | null = null
  let asked: Promise<readonly Endpoint[]> | null = null
  let turn = 0

  const endpoints = (): Promise<readonly Endpoint[]> => {
    if (known !== null && performance.now() < known.until) return Promise.resolve(known.endpoints)
    asked ??= resolve(host, port)
      .then(
        (answer) => {
          if (answer.endpoints.length === 0) throw new Error(`no address for ${host}`)
          const lifeMs = answer.ttlSeconds === null ? addressLifeMs : answer.ttlSeconds * 1000
          known = { endpoints: answer.endpoints, until: performance.now() + Math.min(lifeMs, 30_000) }
          return answer.endpoints
        },
        (error: unknown) => {
          // The last good answer serves while the resolver fails.
          if (known !== null) return known.endpoints
          throw error
        },
      )
      .finally(() => {
        asked = null
      })
    return asked
  }

  return (_options, callback) => {
    endpoints().then(
      (list) => {
        const first = turn++
        let tried = 0
        const next = (): void => {
          const endpoint = list[(first + tried) % list.length] as Endpoint
          tried++
          open(endpoint, secure, host, timeoutMs, (error, socket) => {
            if (socket !== null) return callback(null, socket)
            if (tried < list.length) return next()
            known = null
            callback(error, null)
          })
        }
        next()
      },
      (error: NodeJS.ErrnoException) => {
        callback(
          new TransportError(
            `cannot resolve ${host}: ${error.code ?? error.message}`,
            'unresolved',
            true,
            error,
          ),
          null,
        )
      },
    )
  }
}

function open(
  { address, port }: Endpoint,
  secure: boolean,
  host: string,
  timeoutMs: number,
  done: (...result: [error: null, socket: Socket] | [error: TransportError, socket: null]) => void,
): void {
  const socket = secure
    ? connectTls({ host: address, port, servername: host, ALPNProtocols: ['http/1.1'] })
    : connectTcp({ host: address, port })
  socket.setNoDelay(true)
  const fail = (reason: string, problem: string, cause: unknown): void => {
    clearTimeout(timer)
    socket.removeAllListeners()
    socket.on('error', () => {})
    socket.destroy()
    done(new TransportError(`cannot connect to ${address}:${port}: ${problem}`, reason, true, cause), null)
  }
  const timer = setTimeout(
    () => fail('timeout', `no connection within ${timeoutMs} ms`, undefined),
    timeoutMs,
  )
  socket.once('error', (error: NodeJS.ErrnoException) => {
    fail('refused', error.code ?? error.message, error)
  })
  socket.once(secure ? 'secureConnect' : 'connect', () => {
    clearTimeout(timer)
    socket.removeAllListeners('error')
    done(null, socket)
  })
}
