// How many steps of a run and its sub-runs are at work at once, and who is next.

import { outOfBreath } from './breath.ts'

export interface Slots {
  /** Queues `start`; it is called, never from within this call, when a slot is free. */
  enqueue(start: () => void): void
  /**
   * Adds a source of work that is asked only when nothing else is ready; false: it has no more. The latest
   * goes first, so that sub-runs end before their root starts further items.
   */
  offer(next: () => boolean): void
  /** Gives a slot back. */
  release(): void
  /** Starts what can start. Work that ends at once is handled in this loop, never by recursion. */
  pump(): void
}

/** @param limit steps at once, at least 1 */
export function createSlots(limit: number): Slots {
  const ready: (() => void)[] = []
  const sources: (() => boolean)[] = []
  let readyFrom = 0
  let free = limit
  let pumping = false

  const pump = (): void => {
    if (pumping) return
    pumping = true
    let started = 0
    try {
      while (free > 0) {
        const start = ready[readyFrom]
        if (start !== undefined) {
          // A look at the clock for each would cost more than many a step.
          if (++started % 32 === 0 && outOfBreath()) {
            setImmediate(pump)
            return
          }
          readyFrom++
          if (readyFrom === ready.length) {
            ready.length = 0
            readyFrom = 0
          } else if (readyFrom === 1024) {
            ready.splice(0, readyFrom)
            readyFrom = 0
          }
          free--
          start()
          continue
        }
        const source = sources[sources.length - 1]
        if (source === undefined) return
        if (!source()) sources.pop()
      }
    } finally {
      pumping = false
    }
  }

  return {
    enqueue: (start) => void ready.push(start),
    offer: (next) => void sources.push(next),
    release() {
      free++
    },
    pump,
  }
}
