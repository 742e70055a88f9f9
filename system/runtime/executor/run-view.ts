// What can be seen of a run, while it works and after its end.

import type { Json } from '../../wire/json.ts'
import type { WallMs } from '../clock.ts'
import type { Outcome } from './failure.ts'
import type { Plan } from './plan.ts'

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled'
export type StepStatus = 'blocked' | 'runnable' | 'running' | 'completed' | 'failed'

export interface RunView {
  readonly id: string
  readonly plan: Plan
  readonly status: RunStatus
  readonly inputs: readonly Json[]
  /** Normal form; null without any. */
  readonly overrides: Json | null
  readonly rootRunId: string
  readonly parentRunId: string | null
  /** 0 for a run that no step started. */
  readonly depth: number
  readonly createdAt: WallMs
  readonly completedAt: WallMs | null
  /** An item's result; undefined while, or where, it has none. */
  outcome(item: number): Outcome | undefined
  endedAt(item: number): WallMs | undefined
  stepStatus(step: number): StepStatus
  /** The last result of a step, whichever item it was of. */
  stepOutcome(step: number): Outcome | undefined
}
