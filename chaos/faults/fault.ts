// What a fault is: one thing broken on purpose, with proof that it took effect, an undo, and proof that it is gone.

import { type Static, type TObject, Type } from '@sinclair/typebox'
import type { Cluster, Pod, Role } from '../../contracts/cluster.ts'
import type { Kill } from '../checkers/index.ts'

/** What it is done to. */
export interface Target {
  readonly cluster: Cluster
  readonly role: Role
  /** The victims; for faults on a role or its links, all its pods of now. */
  readonly pods: readonly Pod[]
  /** Numbers in [0, 1): every choice comes from here. */
  readonly random: () => number
  /** Aborted when the fault is to be undone early. */
  readonly signal: AbortSignal
  /** Notes ahead what stays behind on this machine if this process is killed before it could undo. */
  readonly leaves: (leftover: Leftover) => Promise<void>
}

/** Something on this machine that outlives its processes, and how to be rid of it. */
export type Leftover =
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'cgroup'; readonly path: string }
  | { readonly kind: 'mount'; readonly path: string }

/**
 * A fault aimed at its target. Nothing is done before `inject`. `observed` and `cleared` look once and give the
 * evidence, or null where there is none yet: whoever runs the fault asks again until its patience ends. `undo` may be
 * called at any time, also twice, and also where `inject` broke in its middle.
 */
export interface AimedFault {
  inject(): Promise<void>
  observed(): Promise<string | null>
  undo(): Promise<void>
  cleared(): Promise<string | null>
  /** Pods that it ended, for the checkers. */
  kills?(): readonly Kill[]
}

export interface Fault {
  readonly name: string
  /** What it does, in one sentence. */
  readonly what: string
  /** The band of the report's chart. */
  readonly lane: 'process' | 'resources' | 'network' | 'dns' | 'clock' | 'operation'
  /** `pod`: each of the chosen pods; `role`: a role as a whole; `link`: the way to a role's pods. */
  readonly victim: 'pod' | 'role' | 'link'
  /** Its settings, with defaults; unknown ones are refused. */
  readonly settings: TObject
  /** Milliseconds it may take to be observed, and to be cleared. Default 10,000. */
  readonly landsWithinMs?: number
  /** Null: this cluster can do it; else why not. */
  supports(cluster: Cluster): string | null
  on(target: Target, settings: Readonly<Record<string, unknown>>): AimedFault
}

interface Definition<T extends TObject> extends Omit<Fault, 'settings' | 'on'> {
  readonly settings: T
  on(target: Target, settings: Static<T>): AimedFault
}

/**
 * Declares a fault.
 * @example docs/reference/faults.md, "Your own"
 */
export function defineFault<T extends TObject>(definition: Definition<T>): Fault {
  // Settings are checked against the schema before they come here (see experiments/settings.ts).
  return { ...definition, on: (target, settings) => definition.on(target, settings as Static<T>) }
}

/** Settings of a fault that has none. */
export const noSettings = Type.Object({}, { additionalProperties: false })

/** µs of CLOCK_MONOTONIC. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
