// Client connections: one request after another is read from each, with a deadline for every wait.

import { createServer, type Server } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import { GauntletError } from '../../contracts/errors.ts'
import { highWaterBytes, type Link, type LinkOwner } from '../program/link.ts'
import { acceptLinks } from '../program/tcp-link.ts'
import { readRequestHead } from './head/request.ts'
import type { AcceptLimits } from './limits.ts'
import { errorMessage, refusalText } from './refuse.ts'
import { Exchange, type Relay } from './relay.ts'
import { contextOptions, type TlsTexts } from './tls.ts'
import { Timed } from './wheel.ts'

/** How long we wait for the client to close after our last answer, reading on so that it is not reset, ms. */
const lingerMs = 2_000
/** What we read and drop while lingering. */
const lingerBytes = 1_048_576
/** Pipelined bytes we keep before we stop reading. */
const maxHeldBytes = 16_384
/** A head so long is read at every arrival; a shorter one only when a line has ended. */
const longHeadBytes = 8_192

export interface Acceptor {
  readonly server: Server
  readonly port: number
  limits: AcceptLimits
  /** New certificates for handshakes from now on; whether there is TLS at all stays as it began. */
  setTls(texts: TlsTexts | null): void
  /** Stops accepting; idle connections go in their time. Resolves when none is left. */
  drain(): Promise<void>
  /** Drops every connection. */
  closeAll(): void
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** Other threads listen on the same port. */
  readonly shared: boolean
}

/** @throws GauntletError ERR_LISTEN */
export async function accept(
  relay: Relay,
  limits: AcceptLimits,
  address: ListenOptions,
  tls: TlsTexts | null,
): Promise<Acceptor> {
  const clients = new Set<Client>()
  let onEmpty: (() => void) | null = null
  const { totals } = relay.metrics
  const server =
    tls === null
      ? createServer({ allowHalfOpen: true })
      : createTlsServer({
          ...contextOptions(tls),
          handshakeTimeout: limits.headTimeoutMs,
          requestCert: tls.ca !== null,
          rejectUnauthorized: tls.ca !== null,
          ALPNProtocols: ['http/1.1'],
        })
  const port = await listen(server, address)
  const acceptor: Acceptor = {
    server,
    port,
    limits,
    setTls(texts) {
      if (texts !== null && server instanceof TlsServer) server.setSecureContext(contextOptions(texts))
    },
    drain() {
      relay.draining = true
      server.close()
      for (const client of clients) client.drain()
      return new Promise((resolve) => {
        if (clients.size === 0) resolve()
        else onEmpty = resolve
      })
    },
    closeAll() {
      server.close()
      for (const client of [...clients]) client.destroy()
    },
  }
  acceptLinks(
    server,
    (makeLink) => {
      const client = new Client(relay, acceptor, makeLink, () => {
        clients.delete(client)
        totals.clientConnections--
        if (clients.size === 0) onEmpty?.()
      })
      clients.add(client)
      totals.clientConnections++
      // A client that is in needs a connection to a pod, so the last few are not for new ones.
      const connections = clients.size + relay.pool.open + relay.pool.reserve
      const { maxClients, maxConnections } = acceptor.limits
      if (clients.size > maxClients || connections > maxConnections) {
        totals.acceptFailures++
        client.turnAway()
      }
    },
    () => {
      totals.acceptFailures++
    },
  )
  return acceptor
}

function listen(server: Server, { host, port, shared }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new GauntletError('ERR_LISTEN', `cannot listen on ${host}:${port}: ${error.code ?? error.message}`, {
          field: '--bind-address',
          value: `${host}:${port}`,
          fix:
            error.code === 'EADDRINUSE'
              ? 'stop what holds it or choose another port'
              : 'choose another address',
          cause: error,
        }),
      )
    })
    server.listen({ host, port, backlog: 4_096, reusePort: shared }, () => {
      const at = server.address()
      resolve(at !== null && typeof at === 'object' ? at.port : port)
    })
  })
}

export class Client extends Timed implements LinkOwner {
  readonly link: Link
  readonly #relay: Relay
  readonly #acceptor: Acceptor
  readonly #onGone: () => void
  #exchange: Exchange | null = null
  /** Bytes read but not used: a part of a head, or requests behind the present one. */
  #held: Buffer | null = null
  /** A part of a head has come, so its deadline runs. */
  #headStarted = false
  #paused = false
  /** It does not read its answers, so it gets no further ones for now. */
  #stalled = false
  /** Our last answer is out: what still comes is dropped. */
  #lingering = false
  #lingered = 0

  constructor(relay: Relay, acceptor: Acceptor, makeLink: (owner: LinkOwner) => Link, onGone: () => void) {
    super()
    this.#relay = relay
    this.#acceptor = acceptor
    this.#onGone = onGone
    this.link = makeLink(this)
    this.arm(acceptor.limits.keepAliveMs)
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#lingering) {
      this.#lingered += end - start
      if (this.#lingered > lingerBytes) this.destroy()
      return
    }
    if (this.#held !== null) {
      const fresh = bytes.subarray(start, end)
      bytes = Buffer.concat([this.#held, fresh])
      start = 0
      end = bytes.length
      this.#held = null
      // Without a further line end nothing new can be read of a head.
      if (this.#exchange === null && end < longHeadBytes && !fresh.includes(0x0a)) {
        this.#held = bytes
        return
      }
    }
    while (start < end && !this.#lingering && this.link.open) {
      const exchange = this.#exchange
      if (this.#stalled || exchange?.bodyDone === true) {
        this.#hold(bytes, start, end)
        return
      }
      start =
        exchange === null ? this.#readHead(bytes, start, end) : exchange.onRequestBytes(bytes, start, end)
    }
  }

  /** Begins with the next request; returns the position behind what was used. */
  #readHead(bytes: Buffer, start: number, end: number): number {
    const { requestHeads } = this.#relay
    const known = requestHeads.find(bytes, start, end)
    const head = known ?? readRequestHead(bytes, start, end)
    if (head.kind === 'incomplete') {
      if (!this.#headStarted) this.arm(this.#acceptor.limits.headTimeoutMs)
      this.#headStarted = true
      this.#held = Buffer.from(bytes.subarray(start, end))
      return end
    }
    this.#headStarted = false
    if (head.kind === 'refusal') {
      this.#refuse(head.status, 'bad_request', head.problem)
      return end
    }
    if (known === null) requestHeads.keep(bytes, start, start + head.length, head)
    this.#exchange = new Exchange(this.#relay, this, head)
    return this.#exchange.start(bytes, start + head.length, end)
  }

  /** Keeps what came behind the present request; reads on, to see the client leave, until it is much. */
  #hold(bytes: Buffer, start: number, end: number): void {
    this.#held = Buffer.from(bytes.subarray(start, end))
    if (this.#holdsMuch) this.pause()
  }

  get #holdsMuch(): boolean {
    if (this.#stalled) return true
    return this.#held !== null && this.#exchange !== null && this.#held.length > maxHeldBytes
  }

  /** Sets the deadline, which the exchange is told of while there is one. */
  arm(delayMs: number): void {
    this.#relay.wheel.arm(this, delayMs)
  }

  /** No deadline. */
  hold(): void {
    this.#relay.wheel.hold(this)
  }

  /** Nothing is read of it. */
  get paused(): boolean {
    return this.#paused
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.link.pause()
  }

  resume(): void {
    if (!this.#paused || this.#holdsMuch) return
    this.#paused = false
    this.link.resume()
  }

  onDrained(): void {
    this.#exchange?.onClientDrained()
    if (!this.#stalled) return
    this.#stalled = false
    this.#goOn()
  }

  /** The exchange is answered; `close`: no other may follow. */
  exchangeDone(close: boolean): void {
    this.#exchange = null
    if (close) {
      this.#linger()
      return
    }
    // Answers that it does not read pile up here: no further request is read until they are gone.
    if (this.link.waitingBytes >= highWaterBytes) {
      this.#stalled = true
      this.pause()
      this.arm(this.#relay.limits.stallTimeoutMs)
    } else this.#goOn()
  }

  /** Waits for the next request, which may have come already. */
  #goOn(): void {
    this.arm(this.#relay.draining ? this.#acceptor.limits.drainIdleMs : this.#acceptor.limits.keepAliveMs)
    const held = this.#held
    this.#held = null
    this.resume()
    if (held !== null) this.onBytes(held, 0, held.length)
  }

  /** The answer broke off and the client must see it: by a reset where nothing else shows it. */
  cut(reset: boolean): void {
    this.#exchange = null
    if (!reset) {
      this.#linger()
      return
    }
    this.link.reset()
    this.#gone()
  }

  /** A drain began: an idle connection has a few seconds left. */
  drain(): void {
    const idle = this.#exchange === null && !this.#lingering && !this.#stalled
    if (idle) this.arm(this.#acceptor.limits.drainIdleMs)
  }

  /** There are too many connections. */
  turnAway(): void {
    this.#refuse(503, 'limit', 'the balancer has too many connections')
  }

  onEnd(): void {
    // A client that sends no more has left, as far as we can tell: nobody else would half-close here.
    this.destroy()
  }

  onClosed(): void {
    this.destroy()
  }

  destroy(): void {
    const exchange = this.#exchange
    this.#exchange = null
    this.link.destroy()
    exchange?.abort()
    this.#gone()
  }

  onDeadline(): void {
    if (this.#exchange !== null) this.#exchange.onDeadline()
    else if (this.#held === null || this.#lingering || this.#stalled) this.destroy()
    else this.#refuse(408, 'limit', 'the request head did not arrive in time')
  }

  /** Answers what is no request, for the last time on this connection. */
  #refuse(status: number, reason: 'bad_request' | 'limit', message: string): void {
    this.#relay.metrics.refused(status, reason)
    this.link.writeText(refusalText(status, errorMessage('null', reason, message), true))
    this.#linger()
  }

  #linger(): void {
    this.#lingering = true
    this.#held = null
    this.link.end()
    this.#paused = false
    this.link.resume()
    this.arm(lingerMs)
  }

  #gone(): void {
    this.#relay.wheel.disarm(this)
    this.#onGone()
  }
}
