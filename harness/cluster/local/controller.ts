// What a role's controllers do next: the decisions of Kubernetes' Deployment and ReplicaSet controllers.

import type { Role } from '../../../contracts/cluster.ts'

/** What the decision needs to know of a pod. */
export interface ControlledPod {
  readonly name: string
  readonly revision: string
  readonly ready: boolean
  readonly terminating: boolean
  readonly restarts: number
  /** µs of CLOCK_MONOTONIC. */
  readonly createdAt: number
  readonly readyAt?: number
}

export interface Wanted {
  readonly replicas: number
  /** Pods of other revisions are replaced. */
  readonly revision: string
  /**
   * `rolling`: one pod more than wanted at most, and never fewer ready ones (maxSurge 1, maxUnavailable 0).
   * `recreate`: all old ones are gone before a new one is made.
   */
  readonly strategy: 'rolling' | 'recreate'
}

export interface Step {
  /** Pods to make, of the wanted revision. */
  readonly create: number
  /** Names of pods to delete. */
  readonly remove: readonly string[]
}

/** As the manifests have it: there is one runtime, for its state is in memory. */
export const strategies: Readonly<Record<Role, Wanted['strategy']>> = {
  runtime: 'recreate',
  balancer: 'rolling',
  'component-server': 'rolling',
}

/**
 * The next step towards what is wanted; nothing to do: an empty one. To be asked again after each change.
 * Terminating pods count for nothing but `recreate`, so a deleted pod is replaced at once.
 */
export function nextStep(pods: readonly ControlledPod[], wanted: Wanted): Step {
  const active = pods.filter((pod) => !pod.terminating)
  const current = active.filter((pod) => pod.revision === wanted.revision)
  const old = active.filter((pod) => pod.revision !== wanted.revision)
  const missing = wanted.replicas - current.length
  const excess = inRemovalOrder(current).slice(0, Math.max(0, -missing))
  if (wanted.strategy === 'recreate') {
    const oldLeft = pods.some((pod) => pod.revision !== wanted.revision)
    return { create: oldLeft ? 0 : Math.max(0, missing), remove: names([...old, ...excess]) }
  }
  if (old.length === 0) return { create: Math.max(0, missing), remove: names(excess) }
  const room = wanted.replicas + 1 - active.length
  const unready = old.filter((pod) => !pod.ready)
  const ready = active.filter((pod) => pod.ready && !excess.includes(pod)).length
  const spare = Math.max(0, ready - wanted.replicas)
  const replaced = inRemovalOrder(old.filter((pod) => pod.ready)).slice(0, spare)
  return {
    create: Math.max(0, Math.min(missing, room)),
    remove: names([...unready, ...replaced, ...excess]),
  }
}

/**
 * Which pods a scale-down takes first, as the ReplicaSet controller ranks them: not ready before ready, ready
 * for a shorter time before longer, more restarts before fewer, newer before older.
 */
export function inRemovalOrder<T extends ControlledPod>(pods: readonly T[]): T[] {
  return [...pods].sort(
    (a, b) =>
      Number(a.ready) - Number(b.ready) ||
      (a.ready ? (b.readyAt ?? 0) - (a.readyAt ?? 0) : 0) ||
      b.restarts - a.restarts ||
      b.createdAt - a.createdAt,
  )
}

function names(pods: readonly ControlledPod[]): string[] {
  return pods.map((pod) => pod.name)
}
