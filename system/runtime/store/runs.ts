// Runs by id: those at work as they are, those that have ended as text, which is forgotten, oldest first, when
// it is too much or too old.

import type { Plan } from '../executor/plan.ts'
import type { Run } from '../executor/run.ts'
import type { RunView } from '../executor/run-view.ts'
import { Queue } from '../queue.ts'
import { readRun, writeRun } from './run-text.ts'
import { type KeptText, Slabs } from './slabs.ts'

/** What is kept of runs that have ended. */
export interface Retention {
  readonly maxRuns: number
  readonly maxAgeMs: number
  /** Bytes of their inputs and results. */
  readonly maxBytes: number
}

export interface RunStore {
  add(run: Run): void
  /** The run has ended: it is kept as text, and may be forgotten when room is needed. */
  ended(run: Run): void
  get(id: string): RunView | undefined
  /** A run that has not ended. */
  atWork(id: string): Run | undefined
  /** Whether a run of the flow has not ended. */
  isFlowAtWork(flowId: string): boolean
  /** Forgets a run that has ended. */
  delete(id: string): boolean
  newestFirst(): Iterable<RunView>
  /** Forgets what is too old. */
  sweep(nowMs: number): void
}

/** A run that has ended. */
interface Kept {
  readonly id: string
  readonly plan: Plan
  readonly endedAt: number
  readonly text: KeptText
}

export function createRunStore(retention: Retention): RunStore {
  /** In the order they came. */
  const runs = new Map<string, Run | Kept>()
  /** In the order they ended; deleted ones among them. */
  const ended = new Queue<Kept>()
  const slabs = new Slabs()
  let count = 0
  let bytes = 0

  const forget = (kept: Kept): void => {
    if (runs.get(kept.id) !== kept) return
    runs.delete(kept.id)
    slabs.forget(kept.text)
    count--
    bytes -= kept.text.length
  }
  const view = (run: Run | Kept): RunView =>
    'text' in run ? readRun(run.id, run.plan, slabs.read(run.text)) : run

  return {
    add: (run) => void runs.set(run.id, run),
    ended(run) {
      const text = slabs.keep(writeRun(run))
      const kept: Kept = { id: run.id, plan: run.plan, endedAt: run.completedAt ?? run.createdAt, text }
      // The place in the order stays.
      runs.set(run.id, kept)
      ended.push(kept)
      count++
      bytes += text.length
      // The latest stays, however large.
      while (count > 1 && (count > retention.maxRuns || bytes > retention.maxBytes)) {
        const first = ended.shift()
        if (first === undefined) return
        forget(first)
      }
    },
    get(id) {
      const run = runs.get(id)
      return run === undefined ? undefined : view(run)
    },
    atWork(id) {
      const run = runs.get(id)
      return run === undefined || 'text' in run ? undefined : run
    },
    isFlowAtWork(flowId) {
      for (const run of runs.values()) if (!('text' in run) && run.plan.flow.id === flowId) return true
      return false
    },
    delete(id) {
      const run = runs.get(id)
      if (run === undefined || !('text' in run)) return false
      forget(run)
      return true
    },
    *newestFirst() {
      for (const run of [...runs.values()].reverse()) yield view(run)
    },
    sweep(nowMs) {
      for (let first = ended.peek(); first !== undefined; first = ended.peek()) {
        if (nowMs - first.endedAt < retention.maxAgeMs) return
        ended.shift()
        forget(first)
      }
    },
  }
}
