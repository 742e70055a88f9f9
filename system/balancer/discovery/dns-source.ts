// Pods behind a name: resolved again and again, at the answer's TTL; the last good answer survives failures.

import type { Log } from '../../program/log.ts'
import type { Resolve } from '../../program/resolve.ts'
import type { Name } from './names.ts'
import type { Found, PodSource, SourceCounts } from './source.ts'

export interface DnsSourceOptions {
  readonly name: Name
  readonly resolve: Resolve
  /** A name is resolved again after its TTL, but not sooner than this, ms. */
  readonly minResolveMs: number
  /** All that is found is there for callbacks only; default false. */
  readonly callbacksOnly?: boolean
  readonly counts: SourceCounts
  readonly log: Log
}

/** A name is resolved again at least so often, whatever its TTL. */
const maxResolveMs = 10_000
/** As long as no pod was ever found. */
const firstResolveMs = 200
/** Where the resolver tells no TTL (/etc/hosts, an address). */
const untoldTtlMs = 2_000

export class DnsSource implements PodSource {
  readonly #options: DnsSourceOptions
  #update: (found: readonly Found[]) => void = () => {}
  #timer: NodeJS.Timeout | null = null
  #round: Promise<number> | null = null
  #closed = false
  #failing = false
  #everFound = false

  constructor(options: DnsSourceOptions) {
    this.#options = options
  }

  start(update: (found: readonly Found[]) => void): void {
    this.#update = update
    void this.#goOn()
  }

  async refresh(): Promise<void> {
    await this.#resolve()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #goOn(): Promise<void> {
    const waitMs = await this.#resolve()
    if (!this.#closed) this.#timer = setTimeout(() => void this.#goOn(), waitMs)
  }

  /** Resolves, or waits for the round under way. Returns when to ask again, ms. */
  #resolve(): Promise<number> {
    this.#round ??= this.#ask().finally(() => {
      this.#round = null
    })
    return this.#round
  }

  async #ask(): Promise<number> {
    const { name, resolve, counts, log, minResolveMs, callbacksOnly = false } = this.#options
    counts.discoveries++
    try {
      const { endpoints, ttlSeconds } = await resolve(name.host, name.port)
      if (endpoints.length === 0) throw new Error('an empty answer')
      this.#failing = false
      this.#everFound = true
      if (!this.#closed) {
        const terminating = callbacksOnly
        this.#update(endpoints.map(({ address, port }) => ({ host: address, port, terminating })))
      }
      const ttlMs = ttlSeconds === null ? untoldTtlMs : ttlSeconds * 1000
      return Math.min(maxResolveMs, Math.max(minResolveMs, ttlMs))
    } catch (error) {
      counts.discoveryFailures++
      // Once, not every second: the metric counts them.
      if (!this.#failing) {
        const { code, message } = error as NodeJS.ErrnoException
        log.warn({ name: `${name.host}:${name.port}`, error: code ?? message }, 'resolving failed')
      }
      this.#failing = true
      return this.#everFound ? minResolveMs : Math.min(minResolveMs, firstResolveMs)
    }
  }
}
