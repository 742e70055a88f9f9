// Which pod takes new work: the one with the fewest requests in flight; equals take turns.

/** What the choice needs to know of a pod. */
export interface Candidate {
  /** Index of its counter. */
  readonly slot: number
}

/** The turn: how the last choice influences the next among equals. */
export interface Turn {
  /** Slot chosen last. */
  lastSlot: number
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
  let bestCount = 0
  let bestIsBehind = false
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!
    const { slot } = candidate
    if (tried?.includes(slot)) continue
    const count = inFlight[slot]!
    // Behind the last chosen comes first in turn; then from the start.
    const behind = slot > turn.lastSlot
    if (best === null || count < bestCount || (count === bestCount && behind && !bestIsBehind)) {
      best = candidate
      bestCount = count
      bestIsBehind = behind
    }
  }
  if (best !== null) turn.lastSlot = best.slot
  return best
}
