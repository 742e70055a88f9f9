// Client connections: one request after another is read from each, with a deadline for every wait.

import { createServer, type Server } from 'node:net'
import { listen } from '../program/admin.ts'
import { readRequestHead } from './head/request.ts'
import type { Link, LinkOwner } from './link.ts'
import { errorMessage, refusalText } from './refuse.ts'
import { Exchange, type Relay } from './relay.ts'
import { acceptLinks } from './tcp-link.ts'
import { Timed } from './wheel.ts'

export interface AcceptLimits {
  /** A head must be complete this long after its first byte, ms. */
  readonly headTimeoutMs: number
  /** Longest pause within a request's body, ms. */
  readonly bodyTimeoutMs: number
  /** A connection without a request is closed after this, ms. */
  readonly keepAliveMs: number
  /** A client that reads nothing of its answer for this long is dropped, ms. */
  readonly stallTimeoutMs: number
  /**
   * Idle connections are kept this long after a drain began, ms: a client that closes its own at 4 s never
   * sends on one that we are closing.
   */
  readonly drainIdleMs: number
}

/** How long we wait for the client to close after our last answer, reading on so that it is not reset. */
const lingerMs = 2_000
/** Pipelined bytes we keep before we stop reading. */
const maxHeldBytes = 16_384
/** What we read and drop while lingering. */
const lingerBytes = 1_048_576

export interface Acceptor {
  readonly server: Server
  readonly clients: ReadonlySet<Client>
  /** Stops accepting; idle connections go in their time. Resolves when none is left. */
  drain(): Promise<void>
  /** Drops every connection. */
  closeAll(): void
}

/** @throws GauntletError ERR_LISTEN */
export async function accept(
  relay: Relay,
  limits: AcceptLimits,
  address: { readonly host: string; readonly port: number },
): Promise<Acceptor> {
  const clients = new Set<Client>()
  let onEmpty: (() => void) | null = null
  const server = createServer({ allowHalfOpen: true })
  await listen(server as never, address.host, address.port, '--bind-address')
  acceptLinks(
    server,
    (makeLink) => {
      const client = new Client(relay, limits, makeLink, () => {
        clients.delete(client)
        relay.metrics.clientConnections--
        if (clients.size === 0) onEmpty?.()
      })
      clients.add(client)
      relay.metrics.clientConnections++
    },
    () => {
      relay.metrics.acceptFailures++
    },
  )
  return {
    server,
    clients,
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
}

export class Client extends Timed implements LinkOwner {
  readonly link: Link
  readonly #relay: Relay
  readonly #limits: AcceptLimits
  readonly #onGone: () => void
  #exchange: Exchange | null = null
  /** Bytes read but not used: a part of a head, or requests behind the present one. */
  #held: Buffer | null = null
  /** A part of a head has come, so its deadline runs. */
  #headStarted = false
  #paused = false
  /** Our last answer is out: what still comes is dropped. */
  #lingering = false
  #lingered = 0

  constructor(relay: Relay, limits: AcceptLimits, makeLink: (owner: LinkOwner) => Link, onGone: () => void) {
    super()
    this.#relay = relay
    this.#limits = limits
    this.#onGone = onGone
    this.link = makeLink(this)
    relay.wheel.arm(this, limits.keepAliveMs)
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
      // Without a further line end nothing new can be read of the head: look at its length only.
      const pointless = this.#exchange === null && !fresh.includes(0x0a) && end < 8_192
      this.#held = null
      if (pointless) {
        this.#held = bytes
        return
      }
    }
    while (start < end && !this.#lingering && this.link.open) {
      const exchange = this.#exchange
      if (exchange !== null) {
        if (exchange.bodyDone) {
          this.#hold(bytes, start, end)
          return
        }
        start = exchange.onRequestBytes(bytes, start, end)
        if (this.#exchange === exchange) this.#armBody(exchange)
        continue
      }
      const head = readRequestHead(bytes, start, end)
      if (head.kind === 'incomplete') {
        if (!this.#headStarted) this.#relay.wheel.arm(this, this.#limits.headTimeoutMs)
        this.#headStarted = true
        this.#held = Buffer.from(bytes.subarray(start, end))
        return
      }
      this.#headStarted = false
      if (head.kind === 'refusal') {
        const body = errorMessage('null', 'bad_request', head.problem)
        this.#relay.metrics.refused(head.status, 'bad_request')
        this.#answerAndClose(refusalText(head.status, body, true))
        return
      }
      const next = new Exchange(this.#relay, this, head)
      this.#exchange = next
      start = next.start(bytes, head.end, end)
      if (this.#exchange === next) this.#armBody(next)
    }
  }

  #armBody(exchange: Exchange): void {
    if (exchange.bodyDone) this.#relay.wheel.hold(this)
    else this.#relay.wheel.arm(this, this.#limits.bodyTimeoutMs)
  }

  /** Keeps what came behind the present request; reads on, to see the client leave, until it is much. */
  #hold(bytes: Buffer, start: number, end: number): void {
    this.#held = Buffer.from(bytes.subarray(start, end))
    if (this.#holdsMuch) this.pause()
  }

  get #holdsMuch(): boolean {
    return this.#held !== null && this.#exchange !== null && this.#held.length > maxHeldBytes
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

  /** The answer waits for the client to read. */
  stalled(): void {
    this.#relay.wheel.arm(this, this.#limits.stallTimeoutMs)
  }

  onDrained(): void {
    const exchange = this.#exchange
    if (exchange === null) return
    this.#armBody(exchange)
    exchange.onClientDrained()
  }

  /** The exchange is answered; `close`: no other may follow. */
  exchangeDone(close: boolean): void {
    this.#exchange = null
    if (close) {
      this.#linger()
      return
    }
    this.#relay.wheel.arm(this, this.#relay.draining ? this.#limits.drainIdleMs : this.#limits.keepAliveMs)
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

  /** A drain began: an idle connection has `drainIdleMs` left. */
  drain(): void {
    if (this.#exchange === null && !this.#lingering) this.#relay.wheel.arm(this, this.#limits.drainIdleMs)
  }

  onEnd(): void {
    // A client that sends no more has left, as far as we can tell: nobody else would half-close here.
    this.destroy()
  }

  onClosed(): void {
    const exchange = this.#exchange
    this.#exchange = null
    exchange?.abort()
    this.#gone()
  }

  destroy(): void {
    const exchange = this.#exchange
    this.#exchange = null
    this.link.destroy()
    exchange?.abort()
    this.#gone()
  }

  onDeadline(): void {
    const exchange = this.#exchange
    if (exchange !== null && !exchange.bodyDone && this.link.waitingBytes === 0) {
      exchange.bodyTimedOut()
      return
    }
    // It lingers, reads nothing, or is idle: there is nothing to say to it.
    if (exchange !== null || this.#lingering || this.#held === null) {
      this.destroy()
      return
    }
    const body = errorMessage('null', 'limit', 'the request head did not arrive in time')
    this.#relay.metrics.refused(408, 'limit')
    this.#answerAndClose(refusalText(408, body, true))
  }

  #answerAndClose(text: string): void {
    this.link.writeText(text)
    this.#linger()
  }

  #linger(): void {
    this.#lingering = true
    this.#held = null
    this.link.end()
    this.#paused = false
    this.link.resume()
    this.#relay.wheel.arm(this, lingerMs)
  }

  #gone(): void {
    this.#relay.wheel.disarm(this)
    this.#onGone()
  }
}
