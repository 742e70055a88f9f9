// The pods as the relay sees them: who takes new work, who holds which instance, how much is in flight.

import { Affinity } from './affinity.ts'
import { pick, type Turn } from './pick.ts'
import type { Upstream } from './upstream.ts'

/** Most pods known at a time, those that left included. */
export const maxPods = 1024

export interface Pod {
  /** `ip:port`, IPv6 in brackets: its name everywhere. */
  readonly key: string
  readonly host: string
  readonly port: number
  /** Index of its in-flight counter. */
  readonly slot: number
  /** Takes new work. Callbacks reach it as long as it is known. */
  takesWork: boolean
  instanceId: string | null
  /** When bytes last came from it, ms on the wheel's clock. */
  heardMs: number
  /** Connections that wait for a request, the last used on top. */
  readonly idle: Upstream[]
}

/** A transport fault seen while relaying. */
export type Fault = 'refused' | 'reset' | 'timeout'

/** Whom the relay tells what it sees; discovery and health decide what follows. */
export interface PodWatcher {
  onFault(pod: Pod, fault: Fault): void
  /** An answer bore another instance id than we knew for this pod. */
  onInstance(pod: Pod, instanceId: string): void
  /** Nobody is known to hold `instanceId`: asks all pods and calls back with the holder, or null. */
  seek(instanceId: string, found: (pod: Pod | null) => void): void
}

export class Pods {
  readonly affinity = new Affinity()
  readonly #byKey = new Map<string, Pod>()
  /** Sorted by slot. */
  #takers: Pod[] = []
  readonly #inFlight: Int32Array
  readonly #turn: Turn = { lastSlot: -1 }

  /** @param inFlight one counter a slot; shared memory where several threads relay */
  constructor(inFlight: Int32Array = new Int32Array(new SharedArrayBuffer(maxPods * 4))) {
    this.#inFlight = inFlight
  }

  get all(): Iterable<Pod> {
    return this.#byKey.values()
  }

  get size(): number {
    return this.#byKey.size
  }

  get takers(): readonly Pod[] {
    return this.#takers
  }

  get(key: string): Pod | undefined {
    return this.#byKey.get(key)
  }

  /** Adds a pod that takes no work yet; null where no slot is free. */
  add(host: string, port: number): Pod | null {
    const key = podKey(host, port)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const slot = this.#freeSlot()
    if (slot === -1) return null
    const pod: Pod = { key, host, port, slot, takesWork: false, instanceId: null, heardMs: 0, idle: [] }
    this.#byKey.set(key, pod)
    return pod
  }

  setTakesWork(pod: Pod, takesWork: boolean): void {
    if (pod.takesWork === takesWork) return
    pod.takesWork = takesWork
    this.#takers = [...this.#byKey.values()].filter((one) => one.takesWork).sort((a, b) => a.slot - b.slot)
  }

  /** Forgets a pod; its instance ids are remembered as gone. */
  remove(pod: Pod): void {
    this.setTakesWork(pod, false)
    this.#byKey.delete(pod.key)
    this.affinity.forgetPod(pod)
    for (const upstream of pod.idle.splice(0)) upstream.discard()
  }

  /** A pod for new work, or null. @param tried slots that already failed for this request */
  pick(tried: readonly number[] | null): Pod | null {
    return pick(this.#takers, this.#inFlight, this.#turn, tried)
  }

  inFlight(pod: Pod): number {
    return Atomics.load(this.#inFlight, pod.slot)
  }

  /** Counts a request that goes to `pod`. Each call is paired with one `leave`. */
  enter(pod: Pod): void {
    Atomics.add(this.#inFlight, pod.slot, 1)
  }

  leave(pod: Pod): void {
    Atomics.sub(this.#inFlight, pod.slot, 1)
  }

  /** A slot nobody has and nobody still counts in. */
  #freeSlot(): number {
    const taken = new Set([...this.#byKey.values()].map((pod) => pod.slot))
    for (let slot = 0; slot < this.#inFlight.length; slot++) {
      if (!taken.has(slot) && Atomics.load(this.#inFlight, slot) === 0) return slot
    }
    return -1
  }
}

export function podKey(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
