// When pods of a role could be given work, and how evenly they got it.

import type { History, Role } from '../../contracts/history.ts'
import type { Kill } from './checker.ts'

/** A stretch of time, µs; `until` is not in it. */
export interface Interval {
  readonly from: number
  readonly until: number
}

/**
 * When each pod of the role was ready, by the harness's pod.state records. What those do not say, the pod's own
 * records do: it was ready since its process started, until it stopped. A kill ends it at once, though the cluster
 * sees that later.
 */
export function readyIntervals(
  history: History,
  role: Role,
  kills: readonly Kill[] = [],
): ReadonlyMap<string, readonly Interval[]> {
  // Intervals leave out their end, and the last record may be a call.
  const end = (history.at(-1)?.at ?? 0) + 1
  const intervals = new Map<string, Interval[]>()
  const readySince = new Map<string, number>()
  const watched = new Set<string>()
  const close = (pod: string, at: number): void => {
    const from = readySince.get(pod)
    readySince.delete(pod)
    if (from === undefined) return
    const kill = kills.find((kill) => kill.pod === pod && kill.at >= from && kill.at <= at)
    const list = intervals.get(pod) ?? []
    list.push({ from, until: kill?.at ?? at })
    intervals.set(pod, list)
  }
  for (const record of history) {
    const { pod, at } = record
    if (record.kind === 'pod.state' && record.role === role) {
      const isReady = record.ready && record.phase === 'Running'
      const isComing = record.phase === 'Pending' || record.phase === 'Running'
      // The first word on a pod: one that comes up was not ready before, whatever its process said.
      if (!watched.has(pod) && isComing) readySince.delete(pod)
      watched.add(pod)
      if (!isReady) close(pod, at)
      else if (!readySince.has(pod)) readySince.set(pod, at)
    } else if (record.witness === role && !watched.has(pod)) {
      if (record.kind === 'process.started' && !readySince.has(pod)) readySince.set(pod, at)
      if (record.kind === 'process.stopping') close(pod, at)
    }
  }
  for (const pod of [...readySince.keys()]) close(pod, end)
  return intervals
}

/** Calls a pod received while it was eligible, and its fair share of all calls in that time. */
export interface Share {
  readonly pod: string
  readonly calls: number
  readonly expected: number
}

/**
 * Counts calls against fair shares: between two changes of the set of eligible pods, each is due the same.
 * `callsAt` are the times of each pod's calls, in order.
 */
export function fairShares(
  eligible: ReadonlyMap<string, readonly Interval[]>,
  callsAt: ReadonlyMap<string, readonly number[]>,
): readonly Share[] {
  const bounds = [...new Set([...eligible.values()].flat().flatMap(({ from, until }) => [from, until]))].sort(
    (a, b) => a - b,
  )
  const totals = new Map([...eligible.keys()].map((pod) => [pod, { calls: 0, expected: 0 }]))
  for (let i = 0; i + 1 < bounds.length; i++) {
    const [from, until] = [bounds[i]!, bounds[i + 1]!]
    const pods = [...eligible].filter(([, intervals]) =>
      intervals.some((interval) => interval.from <= from && interval.until >= until),
    )
    const counts = pods.map(([pod]) => countBetween(callsAt.get(pod) ?? [], from, until))
    const due = counts.reduce((sum, count) => sum + count, 0) / pods.length
    pods.forEach(([pod], index) => {
      const total = totals.get(pod)!
      total.calls += counts[index]!
      total.expected += due
    })
  }
  return [...totals].map(([pod, { calls, expected }]) => ({ pod, calls, expected }))
}

/**
 * Jain's index of the shares' `calls / expected`, each weighted by `expected`: 1 is even, 1/n is one of n taking
 * all. Pods that were due nothing do not count; null when none was due anything.
 */
export function jainIndex(shares: readonly Share[]): number | null {
  let weight = 0
  let sum = 0
  let squares = 0
  for (const { calls, expected } of shares) {
    if (expected <= 0) continue
    weight += expected
    sum += calls
    squares += calls ** 2 / expected
  }
  return weight === 0 || squares === 0 ? null : sum ** 2 / (weight * squares)
}

/** Members of a sorted list in [from, until). */
function countBetween(sorted: readonly number[], from: number, until: number): number {
  return lowerBound(sorted, until) - lowerBound(sorted, from)
}

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
