// Runs in memory, by id; those that have ended are forgotten, oldest first, when they are too many or too old.

import type { Run } from '../executor/run.ts'
import { Queue } from '../queue.ts'

/** What is kept of runs that have ended. */
export interface Retention {
  readonly maxRuns: number
  readonly maxAgeMs: number
  /** Characters of inputs and results. */
  readonly maxBytes: number
}

export interface RunStore {
  add(run: Run): void
  /** The run has ended and may be forgotten when room is needed. */
  ended(run: Run): void
  get(id: string): Run | undefined
  /** Forgets a run that has ended. */
  delete(id: string): boolean
  newestFirst(): readonly Run[]
  /** Forgets what is too old. */
  sweep(nowMs: number): void
}

export function createRunStore(retention: Retention): RunStore {
  const runs = new Map<string, Run>()
  /** Those that have ended, in the order they did; deleted ones among them. */
  const ended = new Queue<{ readonly run: Run; readonly size: number }>()
  let count = 0
  let bytes = 0

  /** Forgets the one that ended first, unless that has been done. */
  const forgetFirst = (): void => {
    const first = ended.shift()
    if (first === undefined || !runs.delete(first.run.id)) return
    count--
    bytes -= first.size
  }

  return {
    add: (run) => void runs.set(run.id, run),
    ended(run) {
      const size = run.size()
      ended.push({ run, size })
      count++
      bytes += size
      // The latest stays, however large.
      while (count > 1 && (count > retention.maxRuns || bytes > retention.maxBytes)) forgetFirst()
    },
    get: (id) => runs.get(id),
    delete(id) {
      const run = runs.get(id)
      if (run === undefined || run.status === 'running') return false
      runs.delete(id)
      count--
      bytes -= run.size()
      return true
    },
    newestFirst: () => [...runs.values()].reverse(),
    sweep(nowMs) {
      for (let first = ended.peek(); first !== undefined; first = ended.peek()) {
        if (nowMs - (first.run.completedAt ?? nowMs) < retention.maxAgeMs) return
        forgetFirst()
      }
    },
  }
}
