// The least number of calls that a ready pod counted in any second of a load; seconds that prove nothing set aside.

import { readyIntervals } from '../../chaos/checkers/eligibility.ts'
import type { History } from '../../contracts/history.ts'
import type { LoadResult } from '../../contracts/load.ts'
import type { NoiseSecond } from '../noise.ts'

export interface PodRateOptions {
  readonly history: History
  readonly load: LoadResult
  /** How many pods there should be: a rate that few of them served, for the others were not ready, proves nothing. */
  readonly pods: number
  /** Seconds that begin before this are not looked at. Default 1,000. */
  readonly warmUpMs?: number
  /** Noise by seconds of the load; null: not measured. */
  readonly noise: readonly (NoiseSecond | null)[] | null
  /** The target: a second that reaches it is judged, whatever the machine did; excuses are for the others. */
  readonly target?: number
}

export interface PodRate {
  /** Calls a second; `unknown` where too few seconds can be judged. */
  readonly measured: number | { readonly unknown: string }
  /** Counts that were judged: one for each pod and second. */
  readonly samples: number
  /** Where the least was; null where nothing was judged. */
  readonly least: string | null
  /** How many seconds were set aside, and why. */
  readonly notes: readonly string[]
}

/** Above this the generator did not offer what was planned, ms. */
const mostLagMs = 20
/** Above this share of the machine taken by others, the system was starved. */
const mostTakenShare = 0.2
/** More seconds set aside than this share, and the rest is no proof either. */
const mostAside = 0.2

/** Less of the pods' seconds ready than this share, and what the ready ones did is no proof. */
const leastReady = 0.8

/** A pod's count in a second: the smallest over the ready pods. */
interface Least {
  readonly second: number
  readonly pod: string
  readonly count: number
}

/** Counts calls to each component-server pod, by its own records, in each second in which it was ready throughout. */
export function podRate(options: PodRateOptions): PodRate {
  const { load, noise, target = Number.POSITIVE_INFINITY } = options
  const leasts = leastBySecond(options)
  const aside = { lag: 0, noise: 0 }
  let samples = 0
  let judged = 0
  let worst: Least | undefined
  for (const { least, pods } of leasts) {
    const lagged = (load.seconds[least.second]?.lagMs ?? 0) > mostLagMs
    const seen = noise?.[least.second]
    const taken = seen ? seen.stealShare + seen.othersShare > mostTakenShare : false
    if (least.count < target && lagged) aside.lag++
    else if (least.count < target && taken) aside.noise++
    else {
      judged++
      samples += pods
      if (worst === undefined || least.count < worst.count) worst = least
    }
  }
  const notes = [
    ...(aside.lag === 0 ? [] : [`${aside.lag} of ${leasts.length} seconds set aside: the generator lagged`]),
    ...(aside.noise === 0
      ? []
      : [`${aside.noise} of ${leasts.length} seconds set aside: others took the machine`]),
  ]
  const least = worst === undefined ? null : `${worst.count} at ${worst.pod} in second ${worst.second}`
  if (leasts.length === 0) {
    return { measured: { unknown: 'no pod was ready for a whole second' }, samples, least, notes }
  }
  const ready = leasts.reduce((sum, { pods }) => sum + pods, 0)
  const wanted = options.pods * secondsOf(options)
  if (ready < leastReady * wanted) {
    return {
      measured: { unknown: `pods were ready in ${ready} of ${wanted} seconds of pods` },
      ...{ samples, least, notes },
    }
  }
  if (worst === undefined || leasts.length - judged > mostAside * leasts.length) {
    const unknown = `only ${judged} of ${leasts.length} seconds can be judged`
    return { measured: { unknown }, samples, least, notes }
  }
  return { measured: worst.count, samples, least, notes }
}

/** Whole seconds of the load after its warm-up. */
function secondsOf({ load, warmUpMs = 1_000 }: PodRateOptions): number {
  return Math.floor(offeredUs(load) / 1e6) - Math.ceil(warmUpMs / 1_000)
}

function leastBySecond({
  history,
  load,
  warmUpMs = 1_000,
}: PodRateOptions): readonly { readonly least: Least; readonly pods: number }[] {
  const seconds = Math.floor(offeredUs(load) / 1e6)
  const counts = new Map<string, number[]>()
  for (const record of history) {
    if (record.kind !== 'execute.received' || record.at < load.startedAt) continue
    const second = Math.floor((record.at - load.startedAt) / 1e6)
    if (second >= seconds) continue
    let perSecond = counts.get(record.pod)
    if (perSecond === undefined) {
      perSecond = new Array<number>(seconds).fill(0)
      counts.set(record.pod, perSecond)
    }
    perSecond[second]! += 1
  }
  const ready = readyIntervals(history, 'component-server')
  const result: { least: Least; pods: number }[] = []
  for (let second = Math.ceil(warmUpMs / 1_000); second < seconds; second++) {
    const from = load.startedAt + second * 1e6
    const until = from + 1e6
    const found = [...ready]
      .filter(([, intervals]) => intervals.some((i) => i.from <= from && i.until >= until))
      .map(([pod]) => ({ second, pod, count: counts.get(pod)?.[second] ?? 0 }))
    const least = found.toSorted((a, b) => a.count - b.count)[0]
    if (least !== undefined) result.push({ least, pods: found.length })
  }
  return result
}

/** How long arrivals were offered, µs. */
function offeredUs({ profile, startedAt, endedAt }: LoadResult): number {
  const tookUs = endedAt - startedAt
  const planned =
    profile.kind === 'steps'
      ? profile.steps.reduce((sum, { durationMs }) => sum + durationMs * 1000, 0)
      : profile.kind === 'burst'
        ? tookUs
        : profile.durationMs * 1000
  return Math.min(planned, tookUs)
}
