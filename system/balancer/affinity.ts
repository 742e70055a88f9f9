// Which pod holds which instance id: learned from answers and health checks, and never guessed.

import type { Pod } from './pods.ts'

/** Ids of pods that left, remembered to tell "gone" from "unknown". */
const maxGone = 4096

export class Affinity {
  readonly #holders = new Map<string, Pod>()
  readonly #gone = new Set<string>()
  /** Times that an id was seen at a second pod, and that a pod came back with another id. */
  readonly alarms = { duplicate: 0, changed: 0 }

  holder(instanceId: string): Pod | undefined {
    return this.#holders.get(instanceId)
  }

  isGone(instanceId: string): boolean {
    return this.#gone.has(instanceId)
  }

  /**
   * `pod` answered as `instanceId`. Another id than before means that its process was replaced: the old id
   * is gone. An id that another pod holds stays with that one: two pods claim it, and one of them is wrong.
   */
  learn(instanceId: string, pod: Pod): void {
    if (pod.instanceId === instanceId) return
    const holder = this.#holders.get(instanceId)
    if (holder !== undefined && holder !== pod) {
      this.alarms.duplicate++
      return
    }
    if (pod.instanceId !== null) {
      this.alarms.changed++
      this.#forget(pod.instanceId)
    }
    pod.instanceId = instanceId
    this.#gone.delete(instanceId)
    this.#holders.set(instanceId, pod)
  }

  forgetPod(pod: Pod): void {
    if (pod.instanceId !== null) this.#forget(pod.instanceId)
    pod.instanceId = null
  }

  #forget(instanceId: string): void {
    this.#holders.delete(instanceId)
    this.#gone.add(instanceId)
    if (this.#gone.size > maxGone) {
      for (const oldest of this.#gone) {
        this.#gone.delete(oldest)
        break
      }
    }
  }
}
