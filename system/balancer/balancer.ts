// A whole balancer put together: discovery and metrics in this thread, relaying here or in threads of their own.

import type { Registry } from 'prom-client'
import type { HistoryWriter } from '../program/history.ts'
import { noHistory } from '../program/history.ts'
import type { Log, LogOptions } from '../program/log.ts'
import type { Resolve } from '../program/resolve.ts'
import { openSpans, type TraceSettings } from '../program/spans.ts'
import { Directory, type SourceSpec } from './discovery/directory.ts'
import { DnsSource } from './discovery/dns-source.ts'
import { endpointSliceSource, type KubernetesApi } from './discovery/endpoint-slices.ts'
import type { Name } from './discovery/names.ts'
import { createProbe } from './discovery/probe.ts'
import type { PodSource, SourceCounts } from './discovery/source.ts'
import { type BalancerLimits, defaultLimits } from './limits.ts'
import { type Loop, type LoopSettings, startLoop } from './loop.ts'
import { createBuffers, defaultPool, type PodWatcher, viewBuffers } from './pods.ts'
import { createRegistry } from './registry.ts'
import type { RuleConfig } from './rules.ts'
import { startThread } from './threads.ts'
import { noTls, podTlsOptions, type TlsSettings } from './tls.ts'
import { monotonicMs } from './wheel.ts'

export interface BalancerOptions {
  /** Names behind which the pods of each pool are; the pool of `defaultPool` takes what no rule sends elsewhere. */
  readonly pools: Readonly<Record<string, readonly Name[]>>
  /** Names behind which pods are also before they are ready and while they terminate; default none. */
  readonly affinity?: readonly Name[]
  readonly bind: { readonly host: string; readonly port: number }
  readonly resolve: Resolve
  readonly log: Log
  readonly history: HistoryWriter
  /** Name of this balancer's pod, for the Via field of what it forwards. */
  readonly pod: string
  /** Finds pods of Services by the Kubernetes API, where there is one; default null: by `resolve`. */
  readonly kubernetes?: KubernetesApi | null
  /** Each has a default: `defaultLimits`. */
  readonly limits?: Partial<BalancerLimits>
  readonly rules?: readonly RuleConfig[]
  /** One in so many requests goes to the access log, and every failure; default 0: none at all. */
  readonly accessLogEvery?: number
  readonly trace?: TraceSettings | null
  /** Default: plain on both sides. A reload can replace certificates. */
  readonly tls?: TlsSettings
  /** Relaying threads; default 1: this one. */
  readonly threads?: number
  /** How threads open the log and the history of their own. */
  readonly threadFiles?: { readonly log: LogOptions; readonly historyFile: string }
}

/** What a reload may change. */
export type ReloadOptions = Pick<BalancerOptions, 'limits' | 'rules' | 'accessLogEvery' | 'tls'> &
  Partial<Pick<BalancerOptions, 'pools'>>

export interface Balancer {
  /** `address:port` it accepts requests at. */
  readonly address: string
  readonly port: number
  readonly registry: Registry
  readonly directory: Directory
  readonly loops: readonly Loop[]
  /** `null`: ready. */
  notReady(): string | null
  /** Puts new settings into force for requests from now on. */
  reload(options: ReloadOptions): void
  /** From now on answers say `Connection: close` and the balancer is not ready; it still accepts. */
  announceDrain(): void
  /** Stops accepting; resolves when the last client has left. */
  drain(): Promise<void>
  /** Drops everything. */
  close(): void
}

/** @throws GauntletError ERR_LISTEN */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { log, history, bind, threads = 1 } = options
  const limits: BalancerLimits = { ...defaultLimits, ...options.limits }
  const buffers = createBuffers()
  const counts = viewBuffers(buffers)
  const loops: Loop[] = []
  const sourceCounts: SourceCounts = { discoveries: 0, discoveryFailures: 0 }
  const sourcesOf = (pools: BalancerOptions['pools']): SourceSpec[] => [
    ...Object.entries(pools).flatMap(([pool, names]) =>
      names.map((name) => ({
        key: `${pool} ${name.host}:${name.port}`,
        pool,
        open: () => sourceOf(name, options, limits, sourceCounts),
      })),
    ),
    ...(options.affinity ?? []).map((name) => ({
      key: `callbacks ${name.host}:${name.port}`,
      pool: defaultPool,
      open: () => byDns(name, options, limits, sourceCounts, true),
    })),
  ]
  let podTls = podTlsOptions(options.tls?.pods ?? null)
  const directory = new Directory({
    sources: sourcesOf(options.pools),
    probe: createProbe(limits.probeTimeoutMs, () => podTls),
    probeIntervalMs: limits.probeIntervalMs,
    slowStartMs: limits.slowStartMs,
    maxEjectedPercent: limits.maxEjectedPercent,
    counts,
    now: monotonicMs,
    listener: {
      onPod: (state) => {
        for (const loop of loops) loop.onPod(state)
      },
      onPodGone: (key) => {
        for (const loop of loops) loop.onPodGone(key)
      },
    },
    history,
    log,
  })
  const watcherOf = (own: number): PodWatcher => ({
    onFault: (key, fault) => directory.onFault(key, fault),
    onInstance: (key, instanceId) => directory.onInstance(key, instanceId),
    seek: (instanceId, found) => directory.seek(instanceId, found),
    onCallbackLost: (instanceId, id, message) => {
      loops.forEach((loop, index) => {
        if (index !== own) loop.onCallbackLost(instanceId, id, message)
      })
    },
  })
  const settingsOf = (given: ReloadOptions): LoopSettings => ({
    limits: { ...defaultLimits, ...given.limits },
    rules: given.rules ?? [],
    accessLogEvery: given.accessLogEvery ?? 0,
    tls: given.tls ?? noTls,
  })
  const settings = settingsOf(options)
  const trace = options.trace ?? null
  const spans = trace === null || threads > 1 ? null : openSpans(trace, log)
  let { port } = bind
  for (let index = 0; index < threads; index++) {
    const watcher = watcherOf(index)
    const listen = { host: bind.host, port, shared: threads > 1 }
    const loop =
      threads === 1
        ? await startLoop({ listen, counts, watcher, settings, spans, history, log, pod: options.pod })
        : await startThread(
            {
              listen,
              buffers,
              settings,
              trace,
              pod: options.pod,
              log: options.threadFiles?.log ?? quietLog,
              historyFile: history === noHistory ? '' : (options.threadFiles?.historyFile ?? ''),
            },
            watcher,
            (error) => {
              throw error
            },
          )
    // Port 0 took a free one: the others take the same.
    ;({ port } = loop)
    loops.push(loop)
  }
  directory.start()
  let draining = false
  return {
    address: bind.host.includes(':') ? `[${bind.host}]:${port}` : `${bind.host}:${port}`,
    port,
    registry: createRegistry({
      directory,
      sources: sourceCounts,
      collect: () => Promise.all(loops.map((loop) => loop.snapshot())),
    }),
    directory,
    loops,
    notReady() {
      if (draining) return 'draining'
      return directory.everReady ? null : 'no component server found yet'
    },
    reload(given) {
      const next = settingsOf(given)
      podTls = podTlsOptions(next.tls.pods)
      for (const loop of loops) loop.configure(next)
      if (given.pools !== undefined) directory.setSources(sourcesOf(given.pools))
    },
    announceDrain() {
      draining = true
      for (const loop of loops) loop.announceDrain()
    },
    async drain() {
      draining = true
      await Promise.all(loops.map((loop) => loop.drain()))
      await spans?.flush()
    },
    close() {
      directory.close()
      for (const loop of loops) loop.close()
      spans?.close()
    },
  }
}

const quietLog: LogOptions = {
  program: 'balancer',
  level: 'error',
  format: 'json',
  destination: 'stderr',
  file: null,
  collector: null,
}

function sourceOf(
  name: Name,
  options: BalancerOptions,
  limits: BalancerLimits,
  counts: SourceCounts,
): PodSource {
  const { log, kubernetes = null } = options
  const fallback = (): PodSource => byDns(name, options, limits, counts, false)
  return endpointSliceSource(kubernetes, name, fallback, counts, log) ?? fallback()
}

function byDns(
  name: Name,
  { resolve, log }: BalancerOptions,
  { minResolveMs }: BalancerLimits,
  counts: SourceCounts,
  callbacksOnly: boolean,
): PodSource {
  return new DnsSource({ name, resolve, minResolveMs, callbacksOnly, counts, log })
}

/** `names` as the only pool. */
export function onePool(names: readonly Name[]): Readonly<Record<string, readonly Name[]>> {
  return { [defaultPool]: names }
}
