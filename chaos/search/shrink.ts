// Shrinks a failing experiment: fewest faults first, then least load and shortest times that still fail.

import type { Experiment, ExperimentLoad, PlacedFault } from '../experiments/model.ts'

export interface Shrunk {
  readonly experiment: Experiment
  /** Runs it took. */
  readonly tried: number
}

/**
 * Delta debugging, greedily: a smaller experiment that fails in the same way takes the larger one's place, until none
 * of the next smaller ones does, or `mostTries` were run.
 */
export async function shrink(
  experiment: Experiment,
  fails: (candidate: Experiment) => Promise<boolean>,
  mostTries: number,
): Promise<Shrunk> {
  let best = experiment
  let tried = 0
  for (let progress = true; progress; ) {
    progress = false
    for (const candidate of smaller(best)) {
      if (tried >= mostTries) return { experiment: best, tried }
      tried++
      if (await fails(candidate)) {
        best = candidate
        progress = true
        break
      }
    }
  }
  return { experiment: best, tried }
}

/** Experiments one step smaller, those that take away most first. */
export function* smaller(experiment: Experiment): Generator<Experiment> {
  const { faults, loads } = experiment
  // All at once, then halves, then one by one.
  if (faults.length > 0) yield { ...experiment, faults: [] }
  for (let size = Math.floor(faults.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < faults.length; from += size) {
      const kept = faults.filter((_, i) => i < from || i >= from + size)
      if (kept.length > 0) yield { ...experiment, faults: kept }
    }
  }
  if (loads.length > 1) {
    for (const [i] of loads.entries()) yield { ...experiment, loads: loads.filter((_, j) => j !== i) }
  }
  for (const [i, load] of loads.entries()) {
    const less = lessLoad(load)
    if (less !== null) yield { ...experiment, loads: loads.with(i, less) }
  }
  for (const [i, fault] of faults.entries()) {
    const less = shorter(fault)
    if (less !== null) yield { ...experiment, faults: faults.with(i, less) }
  }
}

function lessLoad(load: ExperimentLoad): ExperimentLoad | null {
  if (load.users !== undefined && load.users > 1) return { ...load, users: Math.floor(load.users / 2) }
  if (load.rateRps !== undefined && load.rateRps > 1)
    return { ...load, rateRps: Math.floor(load.rateRps / 2) }
  return null
}

/** Shorter stays than this are noise, ms. */
const leastForMs = 200

function shorter(fault: PlacedFault): PlacedFault | null {
  if (fault.pods !== 'all' && fault.pods > 1) return { ...fault, pods: Math.floor(fault.pods / 2) }
  return fault.forMs / 2 >= leastForMs ? { ...fault, forMs: Math.floor(fault.forMs / 2) } : null
}
