// Opens connections to the addresses behind a URL's host, in turn; a refused one gives way to the next.

import type { Link, LinkOpener } from '../../program/link.ts'
import type { Endpoint, Resolve } from '../../program/resolve.ts'
import { connectLink } from '../../program/tcp-link.ts'

/** Why a request got no whole answer. */
export class TransportError extends Error {
  /** True: not a byte of the request was written, so nothing can have run. */
  readonly unsent: boolean
  /** `refused`, `timeout` or `unresolved` before the request; `reset` or `bad-answer` after it. */
  readonly reason: string

  constructor(message: string, reason: string, unsent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'TransportError'
    this.reason = reason
    this.unsent = unsent
  }
}

export interface ConnectOptions {
  readonly url: URL
  readonly resolve: Resolve
  readonly connectTimeoutMs: number
}

/** A link whose owner is still to be set, before anything else happens. Rejects with TransportError, `unsent`. */
export type Connect = () => Promise<Link>

/** How long an answer of the resolver without a TTL is kept, and one with a TTL at most. */
const addressLifeMs = 1_000
const mostAddressLifeMs = 30_000
/** So long is waited for a resolver that has answered before, then its last answer serves. */
const lastGoodAfterMs = 500

export function createConnect({ url, resolve, connectTimeoutMs }: ConnectOptions): Connect {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  let known: { readonly endpoints: readonly Endpoint[]; readonly until: number } | null = null
  let asked: { readonly answer: Promise<readonly Endpoint[]>; readonly at: number } | null = null
  let turn = 0

  const ask = async (): Promise<readonly Endpoint[]> => {
    try {
      const { endpoints, ttlSeconds } = await resolve(host, port)
      if (endpoints.length === 0) throw new Error('no address')
      const lifeMs = ttlSeconds === null ? addressLifeMs : Math.min(ttlSeconds * 1000, mostAddressLifeMs)
      known = { endpoints, until: performance.now() + lifeMs }
      return endpoints
    } finally {
      asked = null
    }
  }

  /** A resolver may be silent for a minute before it fails; all that connect meanwhile share one question. */
  const resolved = async (): Promise<readonly Endpoint[]> => {
    asked ??= { answer: ask(), at: performance.now() }
    const patienceMs = known === null ? connectTimeoutMs : lastGoodAfterMs
    try {
      return await within(
        asked.answer,
        Math.max(1, asked.at + patienceMs - performance.now()),
        `not within ${patienceMs} ms`,
      )
    } catch (error) {
      // The last good answer serves while the resolver fails.
      if (known !== null) return known.endpoints
      const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : error
      throw new TransportError(`cannot resolve ${host}: ${code}`, 'unresolved', true, error)
    }
  }

  return async () => {
    const fresh = known !== null && performance.now() < known.until
    const endpoints = fresh && known !== null ? known.endpoints : await resolved()
    const first = turn++
    for (let tried = 0; ; tried++) {
      const endpoint = endpoints[(first + tried) % endpoints.length] as Endpoint
      try {
        return await open(endpoint, secure ? host : null, connectTimeoutMs)
      } catch (error) {
        if (tried + 1 < endpoints.length) continue
        // Perhaps they have moved: ask again next time.
        if (known !== null) known = { ...known, until: 0 }
        throw error
      }
    }
  }
}

/** Rejects with `problem` where `promise` is not settled in `ms`; nobody need care for what becomes of it then. */
function within<T>(promise: Promise<T>, ms: number, problem: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(problem)), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function open({ address, port }: Endpoint, tlsHost: string | null, timeoutMs: number): Promise<Link> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, problem: string, cause?: unknown): void => {
      clearTimeout(timer)
      link.destroy()
      reject(new TransportError(`cannot connect to ${address}:${port}: ${problem}`, reason, true, cause))
    }
    const ended = (error: NodeJS.ErrnoException | null): void =>
      fail('refused', error?.code ?? error?.message ?? 'connection closed', error ?? undefined)
    const opener: LinkOpener = {
      onConnected() {
        clearTimeout(timer)
        resolve(link)
      },
      onBytes: () => ended(null),
      onEnd: () => ended(null),
      onDrained() {},
      onClosed: ended,
    }
    const tls = tlsHost === null ? null : { servername: tlsHost, ALPNProtocols: ['http/1.1'] }
    const link = connectLink(address, port, opener, tls)
    const timer = setTimeout(() => fail('timeout', `not within ${timeoutMs} ms`), timeoutMs)
  })
}
