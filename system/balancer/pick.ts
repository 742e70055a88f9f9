// Which pod takes new work: the one with the fewest requests in flight for its weight; equals take turns.
//
// A pod that joins the others has nothing in flight, so by that alone it would get every request until it has as
// many as they have: a flood at the moment when it is cold. Until then it gets its even share, one in n.

/** What the choice needs to know of a pod. */
export interface Candidate {
  /** Index of its counter. */
  readonly slot: number
  /** Share of the work beside a pod of weight 1. */
  readonly weight: number
  /** It joined the others and has fewer in flight than they have; ended here. */
  filling: boolean
  /** The number of the choice that fell on it last. */
  pickedAt: number
}

/** The turn: how former choices influence the next. */
export interface Turn {
  /** Slot chosen last. */
  lastSlot: number
  /** Requests that the chosen pod had in flight when it was chosen. */
  count: number
  /** Choices made so far. */
  picks: number
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
  // Where those that are filling had their share, and the others were tried in vain, they have to do.
  const best =
    choose(candidates, inFlight, turn, tried, false) ?? choose(candidates, inFlight, turn, tried, true)
  if (best === null) return null
  turn.lastSlot = best.slot
  best.pickedAt = ++turn.picks
  if (best.filling && hasFilled(best, candidates, inFlight)) best.filling = false
  return best
}

function choose<C extends Candidate>(
  candidates: readonly C[],
  inFlight: Int32Array,
  turn: Turn,
  tried: readonly number[] | null,
  beyondShare: boolean,
): C | null {
  let best: C | null = null
  let bestLoad = 0
  let bestIsBehind = false
  const { lastSlot, picks } = turn
  const { length } = candidates
  for (let index = 0; index < length; index++) {
    const candidate = candidates[index]!
    const { slot, weight } = candidate
    if (tried?.includes(slot)) continue
    if (candidate.filling && !beyondShare && picks + 1 - candidate.pickedAt < length) continue
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
  return best
}

/** With this request `chosen` has as many in flight, for its weight, as any of the others. */
function hasFilled(chosen: Candidate, candidates: readonly Candidate[], inFlight: Int32Array): boolean {
  const load = (inFlight[chosen.slot]! + 1) / chosen.weight
  return candidates.every(
    (other) => other === chosen || other.filling || load >= inFlight[other.slot]! / other.weight,
  )
}
