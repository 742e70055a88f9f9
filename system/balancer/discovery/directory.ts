// Which pods there are and which take work: found by sources, probed, and heard of from the relaying loops.

import type { HistoryWriter } from '../../program/history.ts'
import type { Log } from '../../program/log.ts'
import {
  defaultPool,
  type Fault,
  maxPods,
  type PodState,
  podKey,
  type SharedCounts,
  type Sought,
} from '../pods.ts'
import { Affinity } from './affinity.ts'
import { type Health, mayFallToo, newHealth, nextHealth, type Sign, startWeight } from './health.ts'
import type { Probe, ProbeResult } from './probe.ts'
import type { Found, PodSource } from './source.ts'

/** Who is told of every change: the relaying loops. */
export interface DirectoryListener {
  onPod(state: PodState): void
  onPodGone(key: string): void
}

/** One place to find pods in; `key` tells it from others, so that a reload leaves those alone that stay. */
export interface SourceSpec {
  readonly key: string
  readonly pool: string
  readonly open: () => PodSource
}

interface OpenSource {
  readonly pool: string
  readonly source: PodSource
  /** What it found last. */
  found: readonly Found[]
}

export interface DirectoryOptions {
  readonly sources: readonly SourceSpec[]
  readonly probe: Probe
  /** Between two probes of a pod, ms. */
  readonly probeIntervalMs: number
  /** A pod that comes up later than the first ones takes its full share after this, ms; 0: at once. */
  readonly slowStartMs: number
  /** At most so many percent of the pods are put out by signs of illness; transport faults always count. */
  readonly maxEjectedPercent: number
  readonly counts: SharedCounts
  /** The machine's monotonic clock, ms. */
  readonly now: () => number
  readonly listener: DirectoryListener
  readonly history: HistoryWriter
  readonly log: Log
}

/** A pod that is down but answers again is probed this soon, ms. */
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
/** While a pod starts slowly its weight is set anew this often, ms. */
const weightStepMs = 250

/** `panic`: no pod of its pool is healthy, so this one takes work all the same. */
export type PodPhase = 'new' | 'ready' | 'panic' | 'ejected' | 'draining' | 'gone'

/** A pod as the admin listener shows it. */
export interface PodReport {
  readonly backend: string
  readonly instanceId: string | null
  readonly pools: readonly string[]
  readonly state: PodPhase
  readonly reason: string
  readonly inFlight: number
  readonly weight: number
  /** An operator drains it. */
  readonly held: boolean
}

interface Watched {
  readonly key: string
  readonly host: string
  readonly port: number
  readonly slot: number
  pools: readonly string[]
  instanceId: string | null
  health: Health
  /** A source names it, and not as terminating. */
  listed: boolean
  /** A source names it at all. */
  named: boolean
  /** It was listed at some time: others say nothing of who takes work. */
  everListed: boolean
  unlistedAtMs: number
  /** An operator said: no new work. */
  held: boolean
  waitingProbes: number
  faultsInRow: number
  timer: NodeJS.Timeout | null
  upAtMs: number
  /** Its weight is on its way to 1. */
  growing: boolean
  phase: PodPhase
  reason: string
  /** What the loops were told last. */
  told: PodState | null
}

interface Seeker {
  readonly instanceId: string
  readonly found: (sought: Sought) => void
}

export class Directory {
  readonly #options: DirectoryOptions
  readonly #affinity = new Affinity<Watched>()
  readonly #watched = new Map<string, Watched>()
  readonly #sources = new Map<string, OpenSource>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #seekers: Seeker[] = []
  #seeking = false
  #closed = false
  #startedAtMs = 0
  readonly probes = { good: 0, bad: 0, slow: 0, busy: 0, fault: 0 }
  readonly faults = { refused: 0, reset: 0, timeout: 0 }
  /** Times that an id was seen at a second pod, and that a pod came back with another id. */
  readonly alarms = { duplicate: 0, changed: 0 }
  /** A pod has taken work at some time: until then the balancer is not ready. */
  everReady = false

  constructor(options: DirectoryOptions) {
    this.#options = options
  }

  start(): void {
    this.#startedAtMs = this.#options.now()
    this.setSources(this.#options.sources)
  }

  /** From now on pods are found in `specs`; those found elsewhere leave. */
  setSources(specs: readonly SourceSpec[]): void {
    const keys = new Set(specs.map(({ key }) => key))
    let left = false
    for (const [key, { source }] of this.#sources) {
      if (keys.has(key)) continue
      source.close()
      this.#sources.delete(key)
      left = true
    }
    for (const { key, pool, open } of specs) {
      if (this.#sources.has(key)) continue
      const opened: OpenSource = { pool, source: open(), found: [] }
      this.#sources.set(key, opened)
      opened.source.start((found) => {
        if (this.#closed || this.#sources.get(key) !== opened) return
        opened.found = found
        this.#update()
      })
    }
    if (left) this.#update()
  }

  close(): void {
    this.#closed = true
    for (const { source } of this.#sources.values()) source.close()
    for (const timer of this.#timers) clearTimeout(timer)
    for (const watched of this.#watched.values()) if (watched.timer !== null) clearTimeout(watched.timer)
    for (const seeker of this.#seekers.splice(0)) seeker.found({ reason: 'unknown' })
  }

  /** All pods known, those that left but may hold streams included. */
  reports(): readonly PodReport[] {
    return Array.from(this.#watched.values(), (watched) => ({
      backend: watched.key,
      instanceId: watched.instanceId,
      pools: watched.pools,
      state: watched.phase,
      reason: watched.reason,
      inFlight: this.#inFlight(watched),
      weight: watched.told?.weight ?? 1,
      held: watched.held,
    }))
  }

  /** The present state of every pod, for a loop that starts late. */
  states(): readonly PodState[] {
    return [...this.#watched.values()].flatMap((watched) => watched.told ?? [])
  }

  /** Takes new work from a pod, or gives it back, by an operator's word. False where there is no such pod. */
  hold(key: string, held: boolean): boolean {
    const watched = this.#watched.get(key)
    if (watched === undefined) return false
    watched.held = held
    this.#settle(watched, held ? 'drained by an operator' : 'undrained by an operator')
    return true
  }

  // ---- finding ----------------------------------------------------------------------------------------

  #update(): void {
    const listed = new Map<string, Set<string>>()
    const terminating = new Set<string>()
    for (const { pool, found } of this.#sources.values()) {
      for (const { host, port, terminating: ends } of found) {
        const key = podKey(host, port)
        if (ends) terminating.add(key)
        else listed.set(key, (listed.get(key) ?? new Set()).add(pool))
        this.#add(key, host, port)
      }
    }
    for (const watched of this.#watched.values()) {
      const pools = listed.get(watched.key)
      if (pools !== undefined) watched.pools = [...pools].sort()
      const isListed = pools !== undefined
      watched.everListed ||= isListed
      watched.named = isListed || terminating.has(watched.key)
      if (isListed !== watched.listed) {
        watched.listed = isListed
        watched.unlistedAtMs = this.#options.now()
      }
      this.#settle(
        watched,
        isListed ? 'found' : watched.named ? 'it is not ready, or terminates' : 'it is not listed any more',
      )
    }
  }

  #add(key: string, host: string, port: number): void {
    if (this.#watched.has(key)) return
    const slot = this.#freeSlot()
    if (slot === -1) {
      this.#options.log.error({ backend: key }, 'too many pods, this one is ignored')
      return
    }
    const watched: Watched = {
      key,
      host,
      port,
      slot,
      pools: [defaultPool],
      instanceId: null,
      health: newHealth,
      listed: false,
      named: true,
      everListed: false,
      unlistedAtMs: this.#options.now(),
      held: false,
      waitingProbes: 0,
      faultsInRow: 0,
      timer: null,
      upAtMs: 0,
      growing: false,
      phase: 'new',
      reason: '',
      told: null,
    }
    this.#watched.set(key, watched)
    this.#options.log.info({ backend: key }, 'pod found')
    this.#probeOnAndOn(watched)
  }

  /** A slot nobody has and nobody still counts in. */
  #freeSlot(): number {
    const taken = new Set(Array.from(this.#watched.values(), ({ slot }) => slot))
    for (let slot = 0; slot < maxPods; slot++) {
      if (!taken.has(slot) && Atomics.load(this.#options.counts.inFlight, slot) === 0) return slot
    }
    return -1
  }

  // ---- health -----------------------------------------------------------------------------------------

  #probeOnAndOn(watched: Watched): void {
    if (this.#closed || !this.#watched.has(watched.key)) return
    if (watched.waitingProbes < maxWaitingProbes) void this.#probe(watched)
    const rising = !watched.health.up && watched.health.streak > 0
    if (watched.timer !== null) clearTimeout(watched.timer)
    watched.timer = setTimeout(
      () => this.#probeOnAndOn(watched),
      rising ? risingProbeMs : this.#options.probeIntervalMs,
    ).unref()
  }

  async #probe(watched: Watched): Promise<void> {
    const { probe, now, counts } = this.#options
    const sinceMs = now()
    watched.waitingProbes++
    const result = await probe(watched.host, watched.port)
    watched.waitingProbes--
    if (this.#closed || !this.#watched.has(watched.key)) return
    if (result.kind === 'good') this.onInstance(watched.key, result.instanceId)
    const sign = result.kind === 'slow' && counts.heardMs[watched.slot]! > sinceMs ? 'busy' : result.kind
    this.probes[sign]++
    this.#take(watched, sign, problemOf(result))
  }

  onFault(key: string, fault: Fault): void {
    this.faults[fault]++
    const watched = this.#watched.get(key)
    if (watched === undefined) return
    this.#take(watched, 'fault', `connection ${fault}`)
    // It may have been one connection only: ask at once.
    if (watched.waitingProbes === 0) this.#probeOnAndOn(watched)
  }

  #take(watched: Watched, sign: Sign, problem: string): void {
    const { maxEjectedPercent, now } = this.#options
    const others = [...this.#watched.values()].filter((one) => one.listed && !one.health.fresh)
    const out = others.filter((one) => !one.health.up).length
    const before = watched.health
    watched.health = nextHealth(before, sign, mayFallToo(others.length, out, maxEjectedPercent))
    if (watched.health.up && !before.up) watched.upAtMs = now()
    watched.faultsInRow = sign === 'fault' ? watched.faultsInRow + 1 : 0
    this.#settle(watched, problem)
    // The last healthy pod went, or the first came: panic begins or ends for the others.
    if (watched.health.up !== before.up) {
      for (const other of this.#watched.values()) if (other !== watched) this.#settle(other, other.reason)
    }
  }

  /** Whether `watched` takes work although it is not healthy: no pod of its pool is. */
  #panics(watched: Watched): boolean {
    // A pod that answers nothing at all would hold requests for ever.
    if (watched.health.up || watched.health.fresh || watched.health.cause === 'slow') return false
    for (const other of this.#watched.values()) {
      if (
        other.listed &&
        !other.held &&
        other.health.up &&
        other.pools.some((pool) => watched.pools.includes(pool))
      ) {
        return false
      }
    }
    return true
  }

  /** Puts the outcome of all signs into force, and into the history when it is another than before. */
  #settle(watched: Watched, reason: string): void {
    const { history, log, listener, now } = this.#options
    const inFlight = this.#inFlight(watched)
    const open = watched.listed && !watched.held
    const gone =
      !watched.named &&
      inFlight === 0 &&
      (watched.faultsInRow >= goneAfterFaults || now() - watched.unlistedAtMs > forgetAfterMs)
    const phase: PodPhase = gone
      ? 'gone'
      : !open
        ? 'draining'
        : watched.health.up
          ? 'ready'
          : watched.health.fresh
            ? 'new'
            : this.#panics(watched)
              ? 'panic'
              : 'ejected'
    if (phase !== watched.phase) {
      watched.reason = reason
      const { key: backend, instanceId } = watched
      log.info({ backend, instanceId, state: phase, reason, inFlight }, 'pod state')
      if (history.enabled && phase !== 'new' && watched.everListed) {
        history.record({
          kind: 'backend.state',
          backend,
          ...(instanceId === null ? {} : { instanceId }),
          // Panic changes who gets requests, not how well the pod is.
          state: phase === 'panic' ? 'ejected' : phase,
          reason,
        })
      }
    }
    watched.phase = phase
    if (gone) {
      if (watched.timer !== null) clearTimeout(watched.timer)
      this.#watched.delete(watched.key)
      this.#affinity.forget(watched)
      listener.onPodGone(watched.key)
      return
    }
    this.#tell(watched)
  }

  #tell(watched: Watched): void {
    const { now, slowStartMs, listener } = this.#options
    const takesWork = watched.phase === 'ready' || watched.phase === 'panic'
    // Pods that come up together with the balancer share the work as equals.
    const late = watched.upAtMs - this.#startedAtMs > slowStartMs
    const weight = watched.phase === 'ready' && late ? startWeight(now() - watched.upAtMs, slowStartMs) : 1
    const { key, host, port, slot, pools, instanceId, told } = watched
    const state: PodState = { key, host, port, slot, pools, takesWork, instanceId, weight }
    const same =
      told !== null &&
      told.takesWork === takesWork &&
      told.instanceId === instanceId &&
      told.weight === weight &&
      told.pools.join() === pools.join()
    if (!same) {
      watched.told = state
      listener.onPod(state)
    }
    this.everReady ||= takesWork
    if (weight === 1 || watched.growing) return
    watched.growing = true
    this.#after(weightStepMs, () => {
      watched.growing = false
      if (this.#watched.get(key) === watched) this.#tell(watched)
    })
  }

  #inFlight(watched: Watched): number {
    return Atomics.load(this.#options.counts.inFlight, watched.slot)
  }

  // ---- instances --------------------------------------------------------------------------------------

  onInstance(key: string, instanceId: string): void {
    const watched = this.#watched.get(key)
    if (watched === undefined) return
    const { log } = this.#options
    const was = watched.instanceId
    const learned = this.#affinity.learn(instanceId, watched)
    const holder = this.#affinity.holder(instanceId)
    if (learned === 'duplicate') {
      this.alarms.duplicate++
      log.error({ backend: key, instanceId, holder: holder?.key }, 'instance id claimed by two pods')
    } else if (learned === 'changed') {
      this.alarms.changed++
      log.warn({ backend: key, was, instanceId }, 'instance id changed')
    }
    if (learned !== 'known') this.#tell(watched)
    if (this.#seekers.length === 0 || holder === undefined) return
    const found = this.#seekers.filter((seeker) => seeker.instanceId === instanceId)
    this.#seekers = this.#seekers.filter((seeker) => seeker.instanceId !== instanceId)
    for (const seeker of found) seeker.found({ key: holder.key })
  }

  /**
   * Another replica may have opened the stream, or the pod is brand new: looks for pods again and asks every
   * pod who it is. Nobody else is ever given the request.
   */
  seek(instanceId: string, found: (sought: Sought) => void): void {
    const holder = this.#affinity.holder(instanceId)
    if (holder !== undefined) found({ key: holder.key })
    else if (this.#affinity.isGone(instanceId)) found({ reason: 'gone' })
    else if (this.#closed || this.#seekers.length >= maxSeekers) found({ reason: 'unknown' })
    else {
      this.#seekers.push({ instanceId, found })
      if (!this.#seeking) void this.#seekAll()
    }
  }

  async #seekAll(): Promise<void> {
    this.#seeking = true
    while (this.#seekers.length > 0 && !this.#closed) {
      const asked = new Set(this.#seekers)
      const pause = new Promise<void>((resolve) => this.#after(seekIntervalMs, resolve))
      const known = [...this.#watched.values()]
      await Promise.all([
        ...known.map((watched) => this.#probe(watched)),
        Promise.all(Array.from(this.#sources.values(), ({ source }) => source.refresh())).then(async () => {
          const fresh = [...this.#watched.values()].filter((watched) => !known.includes(watched))
          await Promise.all(fresh.map((watched) => this.#probe(watched)))
        }),
      ])
      const lost = this.#seekers.filter((seeker) => asked.has(seeker))
      this.#seekers = this.#seekers.filter((seeker) => !asked.has(seeker))
      for (const seeker of lost) seeker.found({ reason: 'unknown' })
      if (this.#seekers.length > 0) await pause
    }
    this.#seeking = false
  }

  #after(delayMs: number, call: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#closed) call()
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
    case 'fault':
      return `health check: ${result.problem}`
  }
}
