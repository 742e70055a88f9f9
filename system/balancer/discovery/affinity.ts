// Which pod holds which instance id: learned from answers and health checks, and never guessed.

/** A pod, as far as this is concerned. */
export interface Holder {
  instanceId: string | null
}

/** What `learn` found. */
export type Learned = 'known' | 'learned' | 'changed' | 'duplicate'

/** Ids of pods that left, remembered to tell "gone" from "unknown". */
const maxGone = 4096

export class Affinity<H extends Holder> {
  readonly #holders = new Map<string, H>()
  readonly #gone = new Set<string>()

  holder(instanceId: string): H | undefined {
    return this.#holders.get(instanceId)
  }

  isGone(instanceId: string): boolean {
    return this.#gone.has(instanceId)
  }

  /**
   * `holder` answered as `instanceId`. Another id than before means that its process was replaced: the old
   * id is gone. An id that another pod holds stays with that one: two pods claim it, and one of them is wrong.
   */
  learn(instanceId: string, holder: H): Learned {
    if (holder.instanceId === instanceId) return 'known'
    const other = this.#holders.get(instanceId)
    if (other !== undefined && other !== holder) return 'duplicate'
    const before = holder.instanceId
    if (before !== null) this.#forget(before)
    holder.instanceId = instanceId
    this.#gone.delete(instanceId)
    this.#holders.set(instanceId, holder)
    return before === null ? 'learned' : 'changed'
  }

  /** The pod left for good. */
  forget(holder: H): void {
    if (holder.instanceId !== null) this.#forget(holder.instanceId)
    holder.instanceId = null
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
