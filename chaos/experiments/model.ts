// What an experiment is, after its file was read: load, faults with their triggers, and what must hold.

import type { Role } from '../../contracts/history.ts'

export const workloads = ['double', 'bidirectional', 'parallel', 'batch', 'hold'] as const

export interface ExperimentLoad {
  readonly name: string
  readonly workload: (typeof workloads)[number]
  /** Arrivals a second (open model), or runs always open (closed model): one of the two. */
  readonly rateRps?: number
  readonly users?: number
  /** Of `hold`: how long each stream stays open between its callbacks. Default 250. */
  readonly holdMs?: number
}

/** When a fault begins. */
export type Trigger =
  /** ms after the load's start. */
  | { readonly kind: 'at'; readonly atMs: number }
  | {
      readonly kind: 'count'
      readonly what: 'streams' | 'callbacks' | 'runs' | 'answers'
      readonly least: number
    }
  /** When another fault was seen to take effect. */
  | { readonly kind: 'after'; readonly fault: string }
  /** An exact moment of a live stream, which is held until the fault is in. */
  | { readonly kind: 'moment'; readonly event: number; readonly step?: string }

export interface PlacedFault {
  readonly name: string
  readonly fault: string
  readonly role: Role
  readonly pods: number | 'all'
  readonly trigger: Trigger
  /** How long it stays once it was seen. */
  readonly forMs: number
  readonly settings: Readonly<Record<string, unknown>>
}

export const metrics = ['success-share', 'completed-rps', 'p99-ms', 'open-runs'] as const

/** A figure of the load that must be within bounds; of one load, or of each. */
export interface Condition {
  readonly metric: (typeof metrics)[number]
  readonly load?: string
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Experiment {
  readonly name: string
  readonly description: string
  /** Of the load; it goes on until the last fault has been gone for `recoverWithinMs` and a second. */
  readonly durationMs: number
  readonly replicas: Readonly<Partial<Record<Role, number>>>
  readonly loads: readonly ExperimentLoad[]
  /** Must hold before the first fault, else nothing is proved; and again after the last. */
  readonly steady: readonly Condition[]
  readonly faults: readonly PlacedFault[]
  /** When one of these is broken, every fault is undone at once and the experiment ends. */
  readonly stop: readonly Condition[]
  readonly blastRadius: { readonly pods: number; readonly roles: readonly Role[] }
  readonly during: readonly Condition[]
  /** What `steady` and this are given to hold again. */
  readonly recoverWithinMs: number
  readonly after: readonly Condition[]
  /** Beside the invariants of every trial. */
  readonly checkers: readonly string[]
}

export function describeTrigger(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'at':
      return `at ${trigger.atMs / 1000} s`
    case 'count':
      return `when ${trigger.least} ${trigger.what} ${trigger.what === 'answers' ? 'came' : 'are open'}`
    case 'after':
      return `after ${trigger.fault}`
    case 'moment':
      return `after event ${trigger.event}${trigger.step === undefined ? '' : ` of step ${trigger.step}`}`
  }
}

/** Roles on the way to whose pods the experiment needs proxies. */
export function linksOf(
  experiment: Experiment,
  victimOf: (fault: string) => 'pod' | 'role' | 'link' | undefined,
): readonly Role[] {
  const roles = experiment.faults.flatMap(({ fault, role, trigger }): Role[] => [
    ...(victimOf(fault) === 'link' ? [role] : []),
    ...(trigger.kind === 'moment' ? (['component-server'] as const) : []),
  ])
  return [...new Set(roles)]
}
