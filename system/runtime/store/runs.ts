// Runs in memory, by id, in the order they came.

import type { Run } from '../executor/run.ts'

export interface RunStore {
  add(run: Run): void
  /** The run has ended and may be forgotten when room is needed. */
  ended(run: Run): void
  get(id: string): Run | undefined
  delete(id: string): boolean
  /** Oldest first. */
  all(): Iterable<Run>
}

export function createRunStore(): RunStore {
  const runs = new Map<string, Run>()
  return {
    add: (run) => void runs.set(run.id, run),
    ended() {},
    get: (id) => runs.get(id),
    delete: (id) => runs.delete(id),
    all: () => runs.values(),
  }
}
