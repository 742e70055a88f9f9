// One relaying event loop: accepts, relays and counts, in this thread. Discovery tells it what pods there are.

import type { HistoryWriter } from '../program/history.ts'
import type { Log } from '../program/log.ts'
import type { SpanExporter } from '../program/spans.ts'
import { type Acceptor, accept, type ListenOptions } from './accept.ts'
import { AccessLog } from './access-log.ts'
import { Callbacks } from './callbacks.ts'
import { HeadMemo } from './head/memo.ts'
import { viaLine } from './head/write.ts'
import type { LoopLimits } from './limits.ts'
import { Metrics, type Snapshot } from './metrics.ts'
import { type PodState, Pods, type PodWatcher, type SharedCounts } from './pods.ts'
import type { Relay } from './relay.ts'
import { RetryBudget } from './retry-budget.ts'
import { compileRules, type RuleConfig } from './rules.ts'
import type { TlsSettings } from './tls.ts'
import { UpstreamPool } from './upstream.ts'
import { Wheel } from './wheel.ts'

/** What can change while a loop runs. All of it can go to another thread. */
export interface LoopSettings {
  readonly limits: LoopLimits
  readonly rules: readonly RuleConfig[]
  /** One in so many requests goes to the access log; 0: none at all. */
  readonly accessLogEvery: number
  readonly tls: TlsSettings
}

export interface LoopOptions {
  readonly listen: ListenOptions
  readonly counts: SharedCounts
  readonly watcher: PodWatcher
  readonly settings: LoopSettings
  readonly spans: SpanExporter | null
  readonly history: HistoryWriter
  readonly log: Log
  /** Name of this balancer's pod, for the Via field of what it forwards. */
  readonly pod: string
}

/** A loop as the main thread sees it, in this thread or another. */
export interface Loop {
  readonly port: number
  onPod(state: PodState): void
  onPodGone(key: string): void
  /** A reply was lost in another loop. */
  onCallbackLost(instanceId: string, id: string, message: string): void
  configure(settings: LoopSettings): void
  snapshot(): Promise<Snapshot>
  /** From now on answers say `Connection: close`; it still accepts. */
  announceDrain(): void
  /** Stops accepting; resolves when the last client has left. */
  drain(): Promise<void>
  /** Drops everything. */
  close(): void
}

/** @throws GauntletError ERR_LISTEN */
export async function startLoop(options: LoopOptions): Promise<Loop> {
  const { counts, watcher, history, log, spans, listen } = options
  const wheel = new Wheel()
  const metrics = new Metrics()
  const { limits } = options.settings
  const pods = new Pods(counts)
  const pool = new UpstreamPool(wheel, pods, limits.connectTimeoutMs)
  const relay: Relay = {
    pods,
    pool,
    wheel,
    watcher,
    metrics,
    history,
    budget: new RetryBudget(),
    callbacks: new Callbacks(),
    random: Math.random,
    requestHeads: new HeadMemo(),
    via: viaLine(options.pod),
    limits,
    rules: [],
    spans,
    accessLog: null,
    draining: false,
  }
  const acceptor: Acceptor = await accept(relay, limits, listen, options.settings.tls.clients)
  wheel.start()
  const loop: Loop = {
    port: acceptor.port,
    onPod: (state) => pods.apply(state),
    onPodGone: (key) => pods.remove(key),
    onCallbackLost: (instanceId, id, message) => {
      relay.callbacks.lose(instanceId, id, message)
    },
    configure(settings) {
      relay.limits = acceptor.limits = settings.limits
      pool.connectTimeoutMs = settings.limits.connectTimeoutMs
      pool.setTls(settings.tls.pods)
      acceptor.setTls(settings.tls.clients)
      relay.rules = compileRules(settings.rules)
      const { accessLogEvery } = settings
      relay.accessLog =
        accessLogEvery === 0 ? null : new AccessLog(log, accessLogEvery, metrics.totals, Date.now)
    },
    async snapshot() {
      metrics.totals.podConnections = pool.open
      return metrics.snapshot()
    },
    announceDrain() {
      relay.draining = true
    },
    drain: () => acceptor.drain(),
    close() {
      acceptor.closeAll()
      pool.closeAll()
      wheel.stop()
    },
  }
  loop.configure(options.settings)
  return loop
}
