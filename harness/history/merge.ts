// Merges the records of all witnesses into one history, and cuts a stretch out of it.

import type { History, WitnessedRecord } from '../../contracts/history.ts'

/** All records in the order of `at`; of equal times, in the order given. */
export function mergeHistory(parts: readonly (readonly WitnessedRecord[])[]): History {
  return parts.flat().sort((a, b) => a.at - b.at)
}

/**
 * The part of a history that a scenario made, from `fromUs` to `untilUs` (µs, both included). Who runs and what
 * is ready at `fromUs` stays in it; runs accepted before, and what belongs to them, do not.
 */
export function between(history: History, fromUs: number, untilUs = Number.POSITIVE_INFINITY): History {
  const standing = new Map<string, WitnessedRecord>()
  const earlierRuns = new Set<string>()
  const earlierRequests = new Set<string>()
  const earlierCallbacks = new Set<string>()
  const part: WitnessedRecord[] = []
  for (const record of history) {
    if (record.at > untilUs) break
    if (record.at >= fromUs) {
      if (!isEarlier(record)) part.push(record)
      continue
    }
    if (record.kind === 'process.started') standing.set(`process ${record.pod}`, record)
    else if (record.kind === 'pod.state') standing.set(`pod ${record.pod}`, record)
    else if (record.kind === 'backend.state') standing.set(`${record.pod} ${record.backend}`, record)
    else if (record.kind === 'run.accepted') earlierRuns.add(record.runId)
    else if (record.kind === 'run.offered') earlierRequests.add(record.request)
    else if (record.kind === 'call.sent') earlierRequests.add(record.requestId)
    else if (record.kind === 'callback.sent') earlierCallbacks.add(record.callbackId)
  }
  return [...[...standing.values()].sort((a, b) => a.at - b.at), ...part]

  function isEarlier(record: WitnessedRecord): boolean {
    if ('runId' in record && record.runId !== undefined && earlierRuns.has(record.runId)) {
      if ('requestId' in record && record.requestId !== undefined) earlierRequests.add(record.requestId)
      return true
    }
    if ('request' in record && earlierRequests.has(record.request)) return true
    if ('requestId' in record && record.requestId !== undefined && earlierRequests.has(record.requestId)) {
      if ('callbackId' in record) earlierCallbacks.add(record.callbackId)
      return true
    }
    return 'callbackId' in record && earlierCallbacks.has(record.callbackId)
  }
}
