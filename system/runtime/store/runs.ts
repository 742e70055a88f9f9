// Runs in memory, by id; those that have ended are forgotten, oldest first, when they are too many or too old.

import type { Run } from '../executor/run.ts'

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
  /** Sizes of those that have ended, in the order they did. */
  const sizes = new Map<Run, number>()
  let bytes = 0

  const forget = (run: Run): void => {
    bytes -= sizes.get(run) ?? 0
    sizes.delete(run)
    runs.delete(run.id)
  }
  const trim = (): void => {
    for (const run of sizes.keys()) {
      // The latest stays, however large.
      if (sizes.size <= 1 || (sizes.size <= retention.maxRuns && bytes <= retention.maxBytes)) return
      forget(run)
    }
  }

  return {
    add: (run) => void runs.set(run.id, run),
    ended(run) {
      const size = run.size()
      sizes.set(run, size)
      bytes += size
      trim()
    },
    get: (id) => runs.get(id),
    delete(id) {
      const run = runs.get(id)
      if (run === undefined || run.status === 'running') return false
      forget(run)
      return true
    },
    newestFirst: () => [...runs.values()].reverse(),
    sweep(nowMs) {
      for (const run of sizes.keys()) {
        if (nowMs - (run.completedAt ?? nowMs) < retention.maxAgeMs) return
        forget(run)
      }
    },
  }
}
