// A whole balancer in one event loop, put together: what main.ts starts, and tests.

import type { Registry } from 'prom-client'
import { formatAddress } from '../program/admin.ts'
import type { HistoryWriter } from '../program/history.ts'
import type { Log } from '../program/log.ts'
import type { Resolve } from '../program/resolve.ts'
import { type AcceptLimits, type Acceptor, accept } from './accept.ts'
import { Directory } from './discovery/directory.ts'
import type { Name } from './discovery/names.ts'
import { createProbe } from './discovery/probe.ts'
import { Metrics } from './metrics.ts'
import { Pods } from './pods.ts'
import { forwardedBy, type Relay, type RelayLimits } from './relay.ts'
import { UpstreamPool } from './upstream.ts'
import { Wheel } from './wheel.ts'

export interface BalancerOptions {
  readonly names: readonly Name[]
  readonly bind: { readonly host: string; readonly port: number }
  readonly resolve: Resolve
  readonly log: Log
  readonly history: HistoryWriter
  /** Name of this balancer's pod, for the Via field of what it forwards. */
  readonly pod: string
  /** Each has a default, below. */
  readonly limits?: Partial<BalancerLimits>
}

export interface BalancerLimits extends AcceptLimits, RelayLimits {
  readonly connectTimeoutMs: number
  readonly minResolveMs: number
  readonly probeIntervalMs: number
  readonly probeTimeoutMs: number
}

export const defaultLimits: BalancerLimits = {
  headTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  keepAliveMs: 75_000,
  stallTimeoutMs: 60_000,
  drainIdleMs: 5_000,
  maxBodyBytes: 64 * 1_048_576,
  maxAttempts: 3,
  connectTimeoutMs: 2_000,
  minResolveMs: 1_000,
  probeIntervalMs: 1_000,
  probeTimeoutMs: 2_000,
}

export interface Balancer {
  /** `address:port` it accepts requests at. */
  readonly address: string
  readonly port: number
  readonly registry: Registry
  readonly metrics: Metrics
  readonly pods: Pods
  readonly directory: Directory
  /** `null`: ready. */
  notReady(): string | null
  /** From now on answers say `Connection: close` and the balancer is not ready; it still accepts. */
  announceDrain(): void
  /** Stops accepting; resolves when the last client has left. */
  drain(): Promise<void>
  /** Drops everything. */
  close(): void
}

/** @throws GauntletError ERR_LISTEN */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const limits: BalancerLimits = { ...defaultLimits, ...options.limits }
  const { log, history } = options
  const wheel = new Wheel()
  const metrics = new Metrics()
  const pods = new Pods()
  const pool = new UpstreamPool(wheel, limits.connectTimeoutMs)
  const directory = new Directory({
    names: options.names,
    resolve: options.resolve,
    probe: createProbe(limits.probeTimeoutMs),
    minResolveMs: limits.minResolveMs,
    probeIntervalMs: limits.probeIntervalMs,
    pods,
    wheel,
    metrics,
    history,
    log,
  })
  const relay: Relay = {
    pods,
    pool,
    wheel,
    watcher: directory,
    metrics,
    history,
    limits,
    forwardedBy: forwardedBy(options.pod),
    draining: false,
  }
  const acceptor: Acceptor = await accept(relay, limits, options.bind)
  wheel.start()
  directory.start()
  const at = acceptor.server.address()
  return {
    address: formatAddress(acceptor.server),
    port: at !== null && typeof at === 'object' ? at.port : 0,
    registry: metrics.registry(pods, pool),
    metrics,
    pods,
    directory,
    notReady() {
      if (relay.draining) return 'draining'
      return directory.everReady ? null : 'no component server found yet'
    },
    announceDrain() {
      relay.draining = true
    },
    drain: () => acceptor.drain(),
    close() {
      directory.close()
      acceptor.closeAll()
      pool.closeAll()
      wheel.stop()
    },
  }
}
