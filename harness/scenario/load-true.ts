// Whether what a load engine says of itself agrees with the records that it left: counts, lag, planned times, latency.

import type { History, RunAnswered, RunOffered } from '../../contracts/history.ts'
import type { LoadResult } from '../../contracts/load.ts'
import type { CheckerResult } from '../../contracts/results.ts'
import { percentile } from './measures.ts'

/** A load with the prefix of its request ids. */
export interface OwnedLoad {
  readonly name: string
  readonly prefix: string
  readonly load: LoadResult
}

/** Histograms keep three digits, and records whole microseconds. */
const toleranceShare = 0.01
const toleranceMs = 0.1
/** Planned times are rounded to microseconds. */
const plannedToleranceUs = 2

/** The judgement on all loads of a trial. */
export function loadTrue(history: History, loads: readonly OwnedLoad[]): CheckerResult {
  const problems: string[] = []
  let examined = 0
  for (const { name, prefix, load } of loads) {
    // Other engines leave no records.
    if (load.engine !== 'embedded') continue
    const offers = new Map<string, RunOffered>()
    const answers: RunAnswered[] = []
    for (const record of history) {
      if (record.kind === 'run.offered' && record.request.startsWith(prefix))
        offers.set(record.request, record)
      else if (record.kind === 'run.answered' && record.request.startsWith(prefix)) answers.push(record)
    }
    examined += offers.size
    problems.push(
      ...[
        ...countProblems(load, offers, answers),
        ...lagProblems(load, offers),
        ...planProblems(load, prefix, offers),
        ...latencyProblems(load, offers, answers),
      ].map((problem) => `${name}: ${problem}`),
    )
  }
  return {
    kind: 'checker',
    name: 'load-true',
    claim: 'what the load generator says of its counts, lag, plan and latencies agrees with its records',
    outcome: problems.length > 0 ? 'fail' : examined === 0 ? 'unknown' : 'pass',
    reason:
      problems.length > 0
        ? `${problems.length} disagreements: ${problems[0]}`
        : `${examined} arrivals of ${loads.length} loads`,
    examined,
    ...(problems.length === 0 ? {} : { examples: problems.slice(0, 20) }),
  }
}

function countProblems(
  load: LoadResult,
  offers: ReadonlyMap<string, RunOffered>,
  answers: readonly RunAnswered[],
): readonly string[] {
  const recorded = { completed: 0, failed: 0, refused: 0, unknown: 0 }
  for (const { outcome } of answers) recorded[outcome]++
  const pairs = [
    ['offered', load.offered, offers.size],
    ...(Object.keys(recorded) as (keyof typeof recorded)[]).map(
      (outcome) => [outcome, load[outcome], recorded[outcome]] as const,
    ),
    ['incorrect', load.incorrect, answers.filter(({ correct }) => correct === false).length],
  ] as const
  return pairs
    .filter(([, said, found]) => said !== found)
    .map(([what, said, found]) => `says ${said} ${what}, its records have ${found}`)
}

/** In the closed model nothing is planned: its lag is of the generator's housekeeping, which leaves no records. */
function isOpen({ profile }: LoadResult): boolean {
  return profile.kind === 'constant' || profile.kind === 'steps'
}

function lagProblems(load: LoadResult, offers: ReadonlyMap<string, RunOffered>): readonly string[] {
  if (!isOpen(load)) return []
  const most =
    [...offers.values()].reduce((worst, { at, planned }) => Math.max(worst, at - planned), 0) / 1000
  return isNear(load.lag.maxMs, most)
    ? []
    : [`says its lag was ${load.lag.maxMs} ms at most, its records have ${most} ms`]
}

/** Arrivals of a constant rate are planned evenly from the start, whatever came of them. */
function planProblems(
  { profile, startedAt }: LoadResult,
  prefix: string,
  offers: ReadonlyMap<string, RunOffered>,
): readonly string[] {
  if (profile.kind !== 'constant') return []
  const stray = [...offers].filter(([request, { planned }]) => {
    const due = startedAt + (Number(request.slice(prefix.length)) * 1e6) / profile.rateRps
    return !(Math.abs(planned - due) <= plannedToleranceUs)
  })
  return stray.length === 0
    ? []
    : [`${stray.length} arrivals are not planned at their place in a rate of ${profile.rateRps}/s`]
}

function latencyProblems(
  { latency }: LoadResult,
  offers: ReadonlyMap<string, RunOffered>,
  answers: readonly RunAnswered[],
): readonly string[] {
  // Some that were given up count too, with the time they took until then.
  if (answers.some(({ outcome }) => outcome === 'unknown')) return []
  const times = answers
    .filter(({ outcome }) => outcome === 'completed')
    .flatMap(({ request, at }) => {
      const offer = offers.get(request)
      return offer === undefined ? [] : (at - offer.planned) / 1000
    })
  return (
    [
      ['p50', latency.p50Ms, 0.5],
      ['p99', latency.p99Ms, 0.99],
    ] as const
  ).flatMap(([name, said, share]) => {
    const found = percentile(times, share)
    if (found === null && said === null) return []
    return said !== null && found !== null && isNear(said, found)
      ? []
      : [`says its ${name} is ${said} ms, its records have ${found} ms`]
  })
}

function isNear(said: number, found: number): boolean {
  return Math.abs(said - found) <= Math.max(toleranceMs, toleranceShare * found)
}
