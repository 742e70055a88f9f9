// Figures taken from a history: pure functions from records to numbers.

import type { History, Role } from '../../contracts/history.ts'

/** A stretch of CLOCK_MONOTONIC, µs. */
export interface Stretch {
  readonly from: number
  readonly until: number
}

/**
 * Least number of runs in flight by the runtime's own count, over a stretch; null where it recorded nothing in it.
 * Between two records the count is the earlier one's.
 */
export function leastInFlight(
  history: History,
  { from, until }: Stretch,
): { least: number; samples: number } | null {
  let least = Number.POSITIVE_INFINITY
  let samples = 0
  let before: number | null = null
  for (const record of history) {
    if (record.kind !== 'run.accepted' && record.kind !== 'run.ended') continue
    if (record.at > until) break
    if (record.at < from) {
      before = record.inFlight
      continue
    }
    if (samples === 0 && before !== null) least = before
    least = Math.min(least, record.inFlight)
    samples += 1
  }
  return samples === 0 ? null : { least, samples }
}

/** Runs in flight at the end of each second since `from`; null before the first record. */
export function inFlightSeries(history: History, { from, until }: Stretch): readonly (number | null)[] {
  const values: (number | null)[] = []
  let now: number | null = null
  let next = from + 1_000_000
  for (const record of history) {
    if (record.kind !== 'run.accepted' && record.kind !== 'run.ended') continue
    for (; next <= record.at && next <= until; next += 1_000_000) values.push(now)
    now = record.inFlight
  }
  for (; next <= until; next += 1_000_000) values.push(now)
  return values
}

/** Durations, ms, of the runs accepted in a stretch that ended, and how many of them had no callback. */
export function runTimes(
  history: History,
  { from, until }: Stretch,
): { ms: readonly number[]; withoutCallback: number } {
  const acceptedAt = new Map<string, number>()
  const runOfRequest = new Map<string, string>()
  const withCallback = new Set<string>()
  const ms = new Map<string, number>()
  for (const record of history) {
    if (record.kind === 'run.accepted') {
      if (record.at >= from && record.at <= until) acceptedAt.set(record.runId, record.at)
    } else if (record.kind === 'call.sent') runOfRequest.set(record.requestId, record.runId)
    else if (record.kind === 'callback.received') {
      const runId = runOfRequest.get(record.requestId)
      if (runId !== undefined) withCallback.add(runId)
    } else if (record.kind === 'run.ended') {
      const at = acceptedAt.get(record.runId)
      if (at !== undefined) ms.set(record.runId, (record.at - at) / 1000)
    }
  }
  const withoutCallback = [...ms.keys()].filter((runId) => !withCallback.has(runId)).length
  return { ms: [...ms.values()], withoutCallback }
}

/** Runs of a workload that completed in a stretch, by the client's records. */
export function completedIn(history: History, workload: string, { from, until }: Stretch): number {
  const ofWorkload = new Set<string>()
  let count = 0
  for (const record of history) {
    if (record.kind === 'run.offered' && record.workload === workload) ofWorkload.add(record.request)
    else if (record.kind === 'run.answered' && record.outcome === 'completed') {
      if (record.at >= from && record.at <= until && ofWorkload.has(record.request)) count += 1
    }
  }
  return count
}

/** Streams of a pod that, at a moment, had sent a callback and got no reply to it, by the pod's own records. */
export function streamsWaiting(history: History, pod: string, at: number): number {
  const waiting = new Map<string, Set<string>>()
  const streamOf = new Map<string, string>()
  for (const record of history) {
    if (record.at > at) break
    if (record.pod !== pod) continue
    if (record.kind === 'callback.sent') {
      streamOf.set(record.callbackId, record.requestId)
      const open = waiting.get(record.requestId) ?? new Set()
      waiting.set(record.requestId, open.add(record.callbackId))
    } else if (record.kind === 'callback.resolved') {
      waiting.get(streamOf.get(record.callbackId) ?? '')?.delete(record.callbackId)
    } else if (record.kind === 'execute.answered') waiting.delete(record.requestId)
  }
  return [...waiting.values()].filter((open) => open.size > 0).length
}

/** Seconds from a kill to the end of each failed run that had a call on the pod; calls are matched at the pod. */
export function failureDelays(history: History, pod: string, killedAt: number): readonly number[] {
  const onPod = new Set<string>()
  const runOfRequest = new Map<string, string>()
  const endedAt = new Map<string, number>()
  for (const record of history) {
    if (record.kind === 'call.sent') runOfRequest.set(record.requestId, record.runId)
    else if (record.kind === 'execute.received' && record.pod === pod) onPod.add(record.requestId)
    else if (record.kind === 'run.ended' && record.status === 'failed' && record.at >= killedAt) {
      endedAt.set(record.runId, record.at)
    }
  }
  const affected = new Set([...onPod].map((requestId) => runOfRequest.get(requestId)))
  return [...endedAt].filter(([runId]) => affected.has(runId)).map(([, at]) => (at - killedAt) / 1e6)
}

/**
 * Seconds from `at` until goodput has recovered: the start of the first of three quarter seconds in a row that
 * each complete at least 95 % of the control's mean for that time; null where it does not.
 * @param control stretch before the fault
 */
export function timeToRecover(
  history: History,
  workload: string,
  control: Stretch,
  at: number,
): number | null {
  const bucketUs = 250_000
  const share = 0.95
  const mean = (completedIn(history, workload, control) / (control.until - control.from)) * bucketUs
  if (mean === 0) return null
  const end = history.at(-1)?.at ?? at
  let good = 0
  for (let from = at; from + bucketUs <= end; from += bucketUs) {
    // One arrival more or less in a bucket is rounding, not damage.
    const enough = completedIn(history, workload, { from, until: from + bucketUs }) >= share * mean - 1
    good = enough ? good + 1 : 0
    if (good === 3) return (from - 2 * bucketUs - at) / 1e6
  }
  return null
}

/** The value below which a share of the values lies (nearest rank); null of none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null
}

/** Ready pods of a role at the end of each second of a stretch, by what the cluster said of them. */
export function readyPerSecond(history: History, role: Role, stretch: Stretch): readonly number[] {
  const ready = new Set<string>()
  const counts: number[] = []
  let next = stretch.from + 1e6
  for (const record of history) {
    for (; record.at >= next && next <= stretch.until; next += 1e6) counts.push(ready.size)
    if (record.kind !== 'pod.state' || record.role !== role) continue
    if (record.ready && record.phase === 'Running') ready.add(record.pod)
    else ready.delete(record.pod)
  }
  for (; next <= stretch.until; next += 1e6) counts.push(ready.size)
  return counts
}
