// What one relaying loop counts: plain numbers while it works, handed over when somebody asks.

import type { Pod } from './pods.ts'

/** Upper bounds of the duration histogram, ms: the original's. */
export const durationBuckets = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

/** Methods with a label value of their own; a client cannot make up more. */
export const methodLabels = ['POST', 'GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'OTHER'] as const

/** Pods that left keep their counters, up to so many. */
const maxCounted = 2048

/** Single numbers; all but the gauges only grow. */
export interface Totals {
  /** Gauge. */
  clientConnections: number
  /** Gauge. */
  openStreams: number
  /** Gauge. */
  podConnections: number
  acceptFailures: number
  /** Requests written to a pod. */
  requestsSent: number
  /** Requests tried again; no byte of them had been sent. */
  retries: number
  /** Requests that could have been tried again, but for the budget. */
  retriesDenied: number
  /** Answers that broke off after their head. */
  brokenAnswers: number
  /** Streams ended because a reply to one of their callbacks could not be delivered. */
  lostCallbacks: number
  /** Comments written to keep silent streams alive. */
  heartbeats: number
  accessLogDropped: number
}

export const noTotals: Totals = {
  clientConnections: 0,
  openStreams: 0,
  podConnections: 0,
  acceptFailures: 0,
  requestsSent: 0,
  retries: 0,
  retriesDenied: 0,
  brokenAnswers: 0,
  lostCallbacks: 0,
  heartbeats: 0,
  accessLogDropped: 0,
}

/** Durations of one method at one pod: a count for each bucket and one above all, then their sum in ms. */
export interface Durations {
  readonly buckets: number[]
  sumMs: number
}

/** What a pod was asked: requests by `methodIndex * 1000 + status`, durations by method index. */
export interface PodCounts {
  readonly requests: Map<number, number>
  readonly durations: Map<number, Durations>
}

/** What requests of one kind count in; a pod gets many of the same kind in a row. */
interface Row {
  readonly pod: Pod
  readonly counts: PodCounts
  readonly key: number
  /** Not yet added to `counts`. */
  count: number
  readonly durations: Durations
}

/** A copy that can go to another thread. */
export interface Snapshot {
  readonly totals: Totals
  /** By the pod's key. */
  readonly pods: ReadonlyMap<string, PodCounts>
  /** By `status reason`. */
  readonly refusals: ReadonlyMap<string, number>
}

export class Metrics {
  readonly totals: Totals = { ...noTotals }
  readonly #pods = new Map<string, PodCounts>()
  readonly #refusals = new Map<string, number>()
  /** By the pod's slot. */
  readonly #rows: (Row | undefined)[] = []

  /** A request that was given to `pod` ended. */
  finished(pod: Pod, method: string, status: number, durationMs: number): void {
    const key = methodIndex(method) * 1000 + status
    let row = this.#rows[pod.slot]
    if (row === undefined || row.key !== key || row.pod !== pod) row = this.#rowOf(pod, key)
    row.count++
    const { durations } = row
    let bucket = 0
    while (bucket < durationBuckets.length && durationMs > durationBuckets[bucket]!) bucket++
    durations.buckets[bucket]!++
    durations.sumMs += durationMs
  }

  /** The balancer answered by itself. */
  refused(status: number, reason: string): void {
    const key = `${status} ${reason}`
    this.#refusals.set(key, (this.#refusals.get(key) ?? 0) + 1)
  }

  snapshot(): Snapshot {
    this.#rows.forEach(settle)
    return { totals: this.totals, pods: this.#pods, refusals: this.#refusals }
  }

  #rowOf(pod: Pod, key: number): Row {
    settle(this.#rows[pod.slot])
    const counts = this.#countsOf(pod.key)
    const method = Math.floor(key / 1000)
    let durations = counts.durations.get(method)
    if (durations === undefined) {
      durations = newDurations()
      counts.durations.set(method, durations)
    }
    const row: Row = { pod, counts, key, count: 0, durations }
    this.#rows[pod.slot] = row
    return row
  }

  #countsOf(key: string): PodCounts {
    let counts = this.#pods.get(key)
    if (counts !== undefined) return counts
    counts = { requests: new Map(), durations: new Map() }
    this.#pods.set(key, counts)
    if (this.#pods.size > maxCounted) {
      for (const oldest of this.#pods.keys()) {
        this.#pods.delete(oldest)
        break
      }
      this.#rows.forEach(settle)
      this.#rows.length = 0
    }
    return counts
  }
}

/** Adds what `row` counted to the rest. */
function settle(row: Row | undefined): void {
  if (row === undefined || row.count === 0) return
  const { requests } = row.counts
  requests.set(row.key, (requests.get(row.key) ?? 0) + row.count)
  row.count = 0
}

/** The sum of what several loops counted. */
export function mergeSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  const totals = { ...noTotals }
  const pods = new Map<string, PodCounts>()
  const refusals = new Map<string, number>()
  for (const snapshot of snapshots) {
    for (const name of Object.keys(totals) as (keyof Totals)[]) totals[name] += snapshot.totals[name]
    for (const [key, value] of snapshot.refusals) refusals.set(key, (refusals.get(key) ?? 0) + value)
    for (const [key, counts] of snapshot.pods) {
      let sum = pods.get(key)
      if (sum === undefined) {
        sum = { requests: new Map(), durations: new Map() }
        pods.set(key, sum)
      }
      for (const [kind, value] of counts.requests)
        sum.requests.set(kind, (sum.requests.get(kind) ?? 0) + value)
      for (const [method, durations] of counts.durations) {
        const total = sum.durations.get(method) ?? newDurations()
        sum.durations.set(method, total)
        durations.buckets.forEach((value, bucket) => {
          total.buckets[bucket]! += value
        })
        total.sumMs += durations.sumMs
      }
    }
  }
  return { totals, pods, refusals }
}

function newDurations(): Durations {
  return { buckets: new Array<number>(durationBuckets.length + 1).fill(0), sumMs: 0 }
}

function methodIndex(method: string): number {
  if (method === 'POST') return 0
  const index = methodLabels.indexOf(method as (typeof methodLabels)[number])
  return index === -1 ? methodLabels.length - 1 : index
}
