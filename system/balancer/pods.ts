// The pods as one event loop relays to them: who takes new work, who holds which instance, what is in flight.

import type { AnswerHead } from './head/answer.ts'
import { HeadMemo } from './head/memo.ts'
import { pick, type Turn } from './pick.ts'
import type { Upstream } from './upstream.ts'

/** Most pods known at a time, those that left included. */
export const maxPods = 1024

/** The pool of pods that take what no rule sends elsewhere. */
export const defaultPool = 'default'

/** What discovery decided about a pod: all that a relaying loop is told. */
export interface PodState {
  /** `ip:port`, IPv6 in brackets: its name everywhere. */
  readonly key: string
  readonly host: string
  readonly port: number
  /** Index of its in-flight counter. */
  readonly slot: number
  readonly pools: readonly string[]
  /** Takes new work. Callbacks reach it as long as it is known. */
  readonly takesWork: boolean
  readonly instanceId: string | null
  /** Share of new work beside pods of weight 1: less than 1 while it starts slowly. */
  readonly weight: number
}

export interface Pod extends PodState {
  takesWork: boolean
  pools: readonly string[]
  weight: number
  instanceId: string | null
  /** It joined others that have work in flight: see pick.ts. */
  filling: boolean
  pickedAt: number
  /** The instance id that this loop reported last. */
  reportedId: string | null
  /** Of answers to other methods than HEAD, which are read by themselves. */
  readonly answerHeads: HeadMemo<AnswerHead>
  /** Connections that wait for a request, the last used on top. */
  readonly idle: Upstream[]
}

/** A transport fault seen while relaying. */
export type Fault = 'refused' | 'reset' | 'timeout'

/** The answer to `seek`: a pod's key, or why there is none. */
export type Sought = { readonly key: string } | { readonly reason: 'unknown' | 'gone' }

/** Whom a loop tells what it sees; discovery and health decide what follows. */
export interface PodWatcher {
  onFault(key: string, fault: Fault): void
  /** An answer bore another instance id than we knew for this pod. */
  onInstance(key: string, instanceId: string): void
  /** Nobody is known to hold `instanceId`: asks all pods and calls back. */
  seek(instanceId: string, found: (sought: Sought) => void): void
  /** The reply to callback `id` of a pod could not be delivered: the stream that waits for it must end. */
  onCallbackLost(key: string, id: string, message: string): void
}

/** Memory that all loops and discovery share. */
export interface SharedCounts {
  /** Requests in flight by slot. */
  readonly inFlight: Int32Array
  /** When bytes last came from the pod of a slot, ms on the machine's monotonic clock. */
  readonly heardMs: Float64Array
  /** [0]: slot chosen last. */
  readonly turn: Int32Array
}

export interface SharedBuffers {
  /** The turn, then the counters: the first fifteen pods share its cache line, which every choice fetches. */
  readonly choice: SharedArrayBuffer
  readonly heardMs: SharedArrayBuffer
}

export function createBuffers(): SharedBuffers {
  const buffers = {
    choice: new SharedArrayBuffer(4 + maxPods * 4),
    heardMs: new SharedArrayBuffer(maxPods * 8),
  }
  viewBuffers(buffers).turn[0] = -1
  return buffers
}

export function viewBuffers({ choice, heardMs }: SharedBuffers): SharedCounts {
  return {
    turn: new Int32Array(choice, 0, 1),
    inFlight: new Int32Array(choice, 4, maxPods),
    heardMs: new Float64Array(heardMs),
  }
}

/** How often a choice is made anew because another thread was quicker. */
const maxRaces = 8

export class Pods {
  readonly #byKey = new Map<string, Pod>()
  readonly #byInstance = new Map<string, Pod>()
  /** By pool, sorted by slot. */
  readonly #takers = new Map<string, Pod[]>()
  /** Those of the default pool, which most requests go to. */
  #defaultTakers: Pod[] | undefined
  readonly #counts: SharedCounts
  readonly #turn: Turn = { lastSlot: -1, count: 0, picks: 0 }

  constructor(counts: SharedCounts) {
    this.#counts = counts
  }

  get all(): Iterable<Pod> {
    return this.#byKey.values()
  }

  get(key: string): Pod | undefined {
    return this.#byKey.get(key)
  }

  /** The pod that holds `instanceId`, as far as this loop was told. */
  holder(instanceId: string): Pod | undefined {
    return this.#byInstance.get(instanceId)
  }

  takers(pool: string): readonly Pod[] {
    return this.#takers.get(pool) ?? []
  }

  /** Adds a pod or takes over its new state. */
  apply(state: PodState): void {
    let pod = this.#byKey.get(state.key)
    if (pod === undefined) {
      pod = {
        ...state,
        takesWork: false,
        instanceId: null,
        filling: false,
        pickedAt: 0,
        reportedId: null,
        answerHeads: new HeadMemo(),
        idle: [],
      }
      this.#byKey.set(state.key, pod)
    }
    if (pod.instanceId !== state.instanceId) {
      if (pod.instanceId !== null) this.#byInstance.delete(pod.instanceId)
      if (state.instanceId !== null) this.#byInstance.set(state.instanceId, pod)
      pod.instanceId = state.instanceId
    }
    const moved = pod.takesWork !== state.takesWork || pod.pools.join() !== state.pools.join()
    if (state.takesWork && !pod.takesWork) {
      const { inFlight } = this.#counts
      pod.filling = this.#everyTaker().some((other) => inFlight[other.slot]! > inFlight[state.slot]!)
      // Its first share comes one turn from now.
      pod.pickedAt = this.#turn.picks
    }
    // A pod that goes away cannot end before its last connection does; who still has callbacks for it opens another.
    if (!state.takesWork) this.#dropIdle(pod)
    pod.takesWork = state.takesWork
    pod.pools = state.pools
    pod.weight = state.weight
    if (moved) this.#sort()
  }

  remove(key: string): void {
    const pod = this.#byKey.get(key)
    if (pod === undefined) return
    this.#byKey.delete(key)
    if (pod.instanceId !== null) this.#byInstance.delete(pod.instanceId)
    pod.takesWork = false
    this.#sort()
    this.#dropIdle(pod)
  }

  #dropIdle(pod: Pod): void {
    for (const upstream of pod.idle.splice(0)) upstream.discard()
  }

  #everyTaker(): readonly Pod[] {
    return [...this.#byKey.values()].filter(({ takesWork }) => takesWork)
  }

  #sort(): void {
    this.#takers.clear()
    for (const pod of this.#byKey.values()) {
      if (!pod.takesWork) continue
      for (const pool of pod.pools) {
        const takers = this.#takers.get(pool)
        if (takers === undefined) this.#takers.set(pool, [pod])
        else takers.push(pod)
      }
    }
    for (const takers of this.#takers.values()) takers.sort((a, b) => a.slot - b.slot)
    this.#defaultTakers = this.#takers.get(defaultPool)
  }

  /**
   * Chooses a pod for new work and counts the request; null where no pod takes any.
   * The choice holds against all threads: if another one changed the chosen pod's count meanwhile, it is
   * made anew. @param tried slots that already failed for this request
   */
  pick(pool: string, tried: readonly number[] | null): Pod | null {
    const takers = pool === defaultPool ? this.#defaultTakers : this.#takers.get(pool)
    if (takers === undefined) return null
    const { inFlight, turn } = this.#counts
    for (let race = 0; ; race++) {
      this.#turn.lastSlot = Atomics.load(turn, 0)
      const pod = pick(takers, inFlight, this.#turn, tried)
      if (pod === null) return null
      const { count } = this.#turn
      if (race >= maxRaces) Atomics.add(inFlight, pod.slot, 1)
      else if (Atomics.compareExchange(inFlight, pod.slot, count, count + 1) !== count) continue
      Atomics.store(turn, 0, pod.slot)
      return pod
    }
  }

  inFlight(pod: Pod): number {
    return Atomics.load(this.#counts.inFlight, pod.slot)
  }

  /** Counts a request that goes to a pod which was not picked. Each, as each pick, is paired with one `leave`. */
  enter(pod: Pod): void {
    Atomics.add(this.#counts.inFlight, pod.slot, 1)
  }

  leave(pod: Pod): void {
    Atomics.sub(this.#counts.inFlight, pod.slot, 1)
  }

  /** Bytes came from `pod` at `nowMs`: it is alive, whatever its health checks say. */
  heard(pod: Pod, nowMs: number): void {
    const { heardMs } = this.#counts
    // A write takes the cache line from every other thread; the clock moves on twenty times a second only.
    if (heardMs[pod.slot] !== nowMs) heardMs[pod.slot] = nowMs
  }
}

export function podKey(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
