// Which pod takes new work: the one with the fewest requests in flight for its weight; equals take turns.

/** What the choice needs to know of a pod. */
export interface Candidate {
  /** Index of its counter. */
  readonly slot: number
  /** Share of the work beside a pod of weight 1. */
  readonly weight: number
}

/** The turn: how the last choice influences the next among equals. */
export interface Turn {
  /** Slot chosen last. */
  lastSlot: number
  /** Requests that the chosen pod had in flight when it was chosen. */
  count: number
}

/**
 * Chooses among `candidates`, sorted by slot, by `inFlight[slot]`; among equals the next one after the last
 * chosen. Null where there is none.
 * @param tried slots that are out, because a connection to them failed for this very request
 */
export function pick<C extends Candidate>(
  candidates: readonly C[],
  inFlight: Int32Array,
  turn: Turn,
  tried: readonly number[] | null = null,
): C | null {
  let best: C | null = null
  let bestLoad = 0
  let bestIsBehind = false
  const { lastSlot } = turn
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!
    const { slot, weight } = candidate
    if (tried?.includes(slot)) continue
    const count = inFlight[slot]!
    // What it would have with this request, so that weights count for idle pods too.
    const load = weight === 1 ? count + 1 : (count + 1) / weight
    // Behind the last chosen comes first in turn; then from the start.
    const behind = slot > lastSlot
    if (best === null || load < bestLoad || (load === bestLoad && behind && !bestIsBehind)) {
      best = candidate
      bestLoad = load
      bestIsBehind = behind
      turn.count = count
    }
  }
  if (best !== null) turn.lastSlot = best.slot
  return best
}
