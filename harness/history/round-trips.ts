// How long callbacks took, by the pods that sent them.

import type { History } from '../../contracts/history.ts'

/** Exact round trips, µs, of callbacks resolved in a stretch (µs, both ends included; default the whole history). */
export function callbackRoundTrips(
  history: History,
  stretch: { readonly from: number; readonly until: number } = { from: 0, until: Number.POSITIVE_INFINITY },
): readonly number[] {
  const times: number[] = []
  for (const record of history) {
    if (record.kind !== 'callback.resolved' || record.at < stretch.from || record.at > stretch.until) continue
    times.push(record.roundTripUs)
  }
  return times
}
