// How many steps of a run and its sub-runs are at work at once, and who is next.

import { Queue } from '../queue.ts'
import { outOfBreath } from './breath.ts'

/** Steps that can start at once without a look at the clock: it costs more than many a step. */
const stepsPerLook = 32

export class Slots {
  readonly #ready = new Queue<() => void>()
  readonly #sources: (() => boolean)[] = []
  #free: number
  #pumping = false

  /** @param limit steps at once, at least 1 */
  constructor(limit: number) {
    this.#free = limit
  }

  /** Queues `start`; `pump` calls it when a slot is free. */
  enqueue(start: () => void): void {
    this.#ready.push(start)
  }

  /**
   * Adds a source of work that is asked only when nothing else is ready; false: it has no more. The latest
   * goes first, so that sub-runs end before their root starts further items.
   */
  offer(next: () => boolean): void {
    this.#sources.push(next)
  }

  /** Gives a slot back. */
  release(): void {
    this.#free++
  }

  /** Starts what can start. Work that ends at once is handled in this loop, never by recursion. */
  pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    let started = 0
    while (this.#free > 0) {
      if (this.#ready.size > 0) {
        if (++started % stepsPerLook === 0 && outOfBreath()) {
          setImmediate(() => this.pump())
          break
        }
        this.#free--
        this.#ready.shift()?.()
        continue
      }
      const source = this.#sources[this.#sources.length - 1]
      if (source === undefined) break
      if (!source()) this.#sources.pop()
    }
    this.#pumping = false
  }
}
