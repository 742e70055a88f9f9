// Which pods there are and which take work: names resolved again and again, every pod probed, faults heard.

import type { HistoryWriter } from '../../program/history.ts'
import type { Log } from '../../program/log.ts'
import type { Endpoint, Resolve } from '../../program/resolve.ts'
import type { Metrics } from '../metrics.ts'
import { type Fault, type Pod, type Pods, type PodWatcher, podKey } from '../pods.ts'
import type { Wheel } from '../wheel.ts'
import { type Health, newHealth, nextHealth, type Sign } from './health.ts'
import type { Name } from './names.ts'
import type { Probe, ProbeResult } from './probe.ts'

export interface DirectoryOptions {
  readonly names: readonly Name[]
  readonly resolve: Resolve
  readonly probe: Probe
  /** Names are resolved again after the answer's TTL, but not sooner than this, ms. */
  readonly minResolveMs: number
  /** Between two probes of a pod, ms. */
  readonly probeIntervalMs: number
  readonly pods: Pods
  readonly wheel: Wheel
  readonly metrics: Metrics
  readonly history: HistoryWriter
  readonly log: Log
}

/** Names are resolved again at least so often, whatever the TTL. */
const maxResolveMs = 10_000
/** Where the resolver tells no TTL: cheap enough against a local resolver, and soon enough. */
const untoldTtlMs = 2_000
/** A pod that is down but answers again is probed this soon. */
const risingProbeMs = 250
/** Probes of one pod that wait at the same time: a pod that froze is found out by its third in a row. */
const maxWaitingProbes = 3
/** A pod that left is forgotten after so many faults in a row, if nothing is in flight. */
const goneAfterFaults = 2
/** A pod that left but still answers is forgotten after this long without anything in flight, ms. */
const forgetAfterMs = 600_000
/** Requests that wait until the holder of an unknown instance is found. */
const maxSeekers = 4_096
/** Between two searches for unknown instances, ms: made-up ids must not become a flood of probes. */
const seekIntervalMs = 100

interface Watched {
  readonly pod: Pod
  health: Health
  /** It is in the last good answer of a name. */
  listed: boolean
  unlistedAtMs: number
  /** An operator said: no new work. */
  held: boolean
  waitingProbes: number
  faultsInRow: number
  timer: NodeJS.Timeout | null
  state: string
}

interface Seeker {
  readonly instanceId: string
  readonly found: (pod: Pod | null) => void
}

export class Directory implements PodWatcher {
  readonly #options: DirectoryOptions
  readonly #watched = new Map<Pod, Watched>()
  /** Last good answer of each name. */
  readonly #answers: (readonly Endpoint[])[]
  readonly #timers = new Set<NodeJS.Timeout>()
  #seekers: Seeker[] = []
  #seeking = false
  #closed = false
  /** A pod has taken work at some time: until then the balancer is not ready. */
  everReady = false

  constructor(options: DirectoryOptions) {
    this.#options = options
    this.#answers = options.names.map(() => [])
  }

  start(): void {
    this.#options.names.forEach((_, index) => {
      void this.#resolveForEver(index)
    })
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const watched of this.#watched.values()) if (watched.timer !== null) clearTimeout(watched.timer)
    for (const seeker of this.#seekers.splice(0)) seeker.found(null)
  }

  // ---- names ------------------------------------------------------------------------------------------

  async #resolveForEver(index: number): Promise<void> {
    const ttlMs = await this.#resolve(index)
    if (!this.#closed) this.#after(ttlMs, () => void this.#resolveForEver(index))
  }

  /** One round for one name; returns when to ask again, ms. Keeps the last good answer on failure. */
  async #resolve(index: number): Promise<number> {
    const { names, resolve, metrics, log, minResolveMs } = this.#options
    const { host, port } = names[index]!
    metrics.discoveries++
    try {
      const { endpoints, ttlSeconds } = await resolve(host, port)
      if (this.#closed) return maxResolveMs
      if (endpoints.length === 0) throw new Error('an empty answer')
      this.#answers[index] = endpoints
      this.#update()
      const ttlMs = ttlSeconds === null ? untoldTtlMs : ttlSeconds * 1000
      return Math.min(maxResolveMs, Math.max(minResolveMs, ttlMs))
    } catch (error) {
      metrics.discoveryFailures++
      log.warn({ name: `${host}:${port}`, error: reasonOf(error) }, 'resolving failed')
      return minResolveMs
    }
  }

  #update(): void {
    const { pods, log } = this.#options
    const listed = new Set<string>()
    for (const { address, port } of this.#answers.flat()) {
      const key = podKey(address, port)
      listed.add(key)
      const known = pods.get(key)
      const pod = known ?? pods.add(address, port)
      if (pod === null) log.error({ backend: key }, 'too many pods, this one is ignored')
      else if (known === undefined) this.#watch(pod)
    }
    for (const watched of this.#watched.values()) {
      const isListed = listed.has(watched.pod.key)
      if (isListed === watched.listed) continue
      watched.listed = isListed
      watched.unlistedAtMs = performance.now()
      this.#settle(watched, isListed ? 'listed again' : 'left the name')
    }
  }

  // ---- health -----------------------------------------------------------------------------------------

  #watch(pod: Pod): void {
    const watched: Watched = {
      pod,
      health: newHealth,
      listed: true,
      unlistedAtMs: 0,
      held: false,
      waitingProbes: 0,
      faultsInRow: 0,
      timer: null,
      state: '',
    }
    this.#watched.set(pod, watched)
    this.#options.log.info({ backend: pod.key }, 'pod found')
    this.#probeOnAndOn(watched)
  }

  #probeOnAndOn(watched: Watched): void {
    if (this.#closed || !this.#watched.has(watched.pod)) return
    if (watched.waitingProbes < maxWaitingProbes) void this.#probe(watched)
    const rising = !watched.health.up && watched.health.streak > 0
    if (watched.timer !== null) clearTimeout(watched.timer)
    watched.timer = setTimeout(
      () => this.#probeOnAndOn(watched),
      rising ? risingProbeMs : this.#options.probeIntervalMs,
    ).unref()
  }

  async #probe(watched: Watched): Promise<void> {
    const { probe, wheel, metrics } = this.#options
    const { pod } = watched
    const sinceMs = wheel.nowMs
    watched.waitingProbes++
    const result = await probe(pod.host, pod.port)
    watched.waitingProbes--
    if (this.#closed || !this.#watched.has(pod)) return
    if (result.kind === 'good') this.onInstance(pod, result.instanceId)
    const sign = result.kind === 'slow' && pod.heardMs > sinceMs ? 'busy' : result.kind
    metrics.probes[sign]++
    this.#take(watched, sign, problemOf(result))
  }

  onFault(pod: Pod, fault: Fault): void {
    this.#options.metrics.faults[fault]++
    const watched = this.#watched.get(pod)
    if (watched === undefined) return
    this.#take(watched, 'fault', fault)
    // It may have been one connection only: ask at once.
    if (watched.waitingProbes === 0) this.#probeOnAndOn(watched)
  }

  #take(watched: Watched, sign: Sign, problem: string): void {
    watched.health = nextHealth(watched.health, sign)
    watched.faultsInRow = sign === 'fault' ? watched.faultsInRow + 1 : 0
    this.#settle(watched, problem)
  }

  /** Puts the outcome of all signs into force, and into the history when it is another than before. */
  #settle(watched: Watched, reason: string): void {
    const { pods, history, log } = this.#options
    const { pod } = watched
    const takesWork = watched.listed && watched.health.up && !watched.held
    const inFlight = pods.inFlight(pod)
    const left = !watched.listed && inFlight === 0
    const gone =
      left &&
      (watched.faultsInRow >= goneAfterFaults || performance.now() - watched.unlistedAtMs > forgetAfterMs)
    const state = gone
      ? 'gone'
      : takesWork
        ? 'ready'
        : !watched.listed || watched.held
          ? 'draining'
          : watched.health.fresh
            ? ''
            : 'ejected'
    if (state !== watched.state && state !== '') {
      log.info({ backend: pod.key, instanceId: pod.instanceId, state, reason, inFlight }, 'pod state')
      if (history.enabled) {
        history.record({
          kind: 'backend.state',
          backend: pod.key,
          ...(pod.instanceId === null ? {} : { instanceId: pod.instanceId }),
          state: state as 'ready' | 'ejected' | 'draining' | 'gone',
          reason,
        })
      }
    }
    watched.state = state
    pods.setTakesWork(pod, takesWork)
    this.everReady ||= takesWork
    if (gone) {
      if (watched.timer !== null) clearTimeout(watched.timer)
      this.#watched.delete(pod)
      pods.remove(pod)
    }
  }

  // ---- instances --------------------------------------------------------------------------------------

  onInstance(pod: Pod, instanceId: string): void {
    if (!this.#watched.has(pod)) return
    const { affinity } = this.#options.pods
    const before = { ...affinity.alarms }
    const was = pod.instanceId
    affinity.learn(instanceId, pod)
    if (affinity.alarms.duplicate !== before.duplicate) {
      this.#options.log.error(
        { backend: pod.key, instanceId, holder: affinity.holder(instanceId)?.key },
        'instance id claimed by two pods',
      )
    } else if (affinity.alarms.changed !== before.changed) {
      this.#options.log.warn({ backend: pod.key, was, instanceId }, 'instance id changed')
    }
    if (this.#seekers.length === 0) return
    const found = this.#seekers.filter((seeker) => seeker.instanceId === instanceId)
    this.#seekers = this.#seekers.filter((seeker) => seeker.instanceId !== instanceId)
    const holder = affinity.holder(instanceId) ?? null
    for (const seeker of found) seeker.found(holder)
  }

  /**
   * Another replica may have opened the stream, or the pod is brand new: resolves the names again and asks
   * every pod who it is. Nobody else is ever given the request.
   */
  seek(instanceId: string, found: (pod: Pod | null) => void): void {
    if (this.#closed || this.#seekers.length >= maxSeekers) {
      found(null)
      return
    }
    this.#seekers.push({ instanceId, found })
    if (!this.#seeking) void this.#seekAll()
  }

  async #seekAll(): Promise<void> {
    this.#seeking = true
    while (this.#seekers.length > 0 && !this.#closed) {
      const asked = new Set(this.#seekers)
      const pause = new Promise<void>((resolve) => this.#after(seekIntervalMs, resolve))
      const known = [...this.#watched.values()]
      await Promise.all([
        ...known.map((watched) => this.#probe(watched)),
        Promise.all(this.#options.names.map((_, index) => this.#resolve(index))).then(async () => {
          const fresh = [...this.#watched.values()].filter((watched) => !known.includes(watched))
          await Promise.all(fresh.map((watched) => this.#probe(watched)))
        }),
      ])
      const lost = this.#seekers.filter((seeker) => asked.has(seeker))
      this.#seekers = this.#seekers.filter((seeker) => !asked.has(seeker))
      for (const seeker of lost) seeker.found(null)
      if (this.#seekers.length > 0) await pause
    }
    this.#seeking = false
  }

  #after(delayMs: number, call: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      call()
    }, delayMs)
    this.#timers.add(timer)
  }
}

function problemOf(result: ProbeResult): string {
  switch (result.kind) {
    case 'good':
      return 'health check passed'
    case 'slow':
      return 'health check timed out'
    case 'bad':
      return `health check: ${result.problem}`
    case 'fault':
      return `health check: ${result.problem}`
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error)
}
