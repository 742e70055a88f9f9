// Checker trends-flat: over a soak neither memory, timers and files of pods nor latencies grow, by the lower bound of
// their slopes.

import type { History, PodUsage } from '../../contracts/history.ts'
import { type Checker, Findings, type FullContext } from './checker.ts'
import { operationsOf } from './operations.ts'
import { leastPoints, type Point, trendOf } from './trend.ts'

/** Share of a soak that is warm-up: caches and pools fill, code is compiled. */
const warmUpShare = 0.25
/** Collectors let memory rise and fall: of so many readings in a row the least is taken. */
const readingsOfOne = 3
/** Stretches of a soak over which a latency is taken. */
const latencyStretches = 40

const MiB = 2 ** 20

/**
 * What a figure may grow over the whole soak: `most`, or a share of its median, whichever is more. A runtime keeps its
 * last 10,000 runs, some 16 MiB, and a collector has room to be lazy.
 */
const limits = {
  heapBytes: { most: 24 * MiB, share: 0.25, unit: 'MiB', scale: MiB },
  memoryBytes: { most: 48 * MiB, share: 0.25, unit: 'MiB', scale: MiB },
  timers: { most: 20, share: 0.5, unit: 'timers', scale: 1 },
  files: { most: 30, share: 0.5, unit: 'files', scale: 1 },
} as const
const latencyLimit = { most: 5, share: 0.5, unit: 'ms', scale: 1 } as const

interface Limit {
  readonly most: number
  readonly share: number
  readonly unit: string
  readonly scale: number
}

export const trendsFlat: Checker = {
  name: 'trends-flat',
  claim:
    'over a soak, its warm-up left out, memory, timers and files of each pod and the median latency of each load do not grow beyond their limits, with 99 % confidence',
  check(history, context) {
    const findings = new Findings()
    const usages = history.filter((record) => record.kind === 'pod.usage').filter((r) => r.phase === 'during')
    const [first, last] = [usages[0], usages.at(-1)]
    if (first === undefined || last === undefined) return findings
    const from = first.at + warmUpShare * (last.at - first.at)
    const worst = { text: '', share: 0 }
    const judge = (what: string, points: readonly Point[], limit: Limit): 'flat' | 'grows' | 'unknown' => {
      const trend = trendOf(points)
      if (trend === null) return 'unknown'
      findings.examined++
      const grownLeast = trend.lower * trend.length
      const allowed = Math.max(limit.most, limit.share * trend.median)
      const text =
        `${what}: by ${amount(trend.slope * trend.length, limit)}, at least ${amount(grownLeast, limit)},` +
        ` in ${trend.length.toFixed(0)} s (allowed ${amount(allowed, limit)}, median ${amount(trend.median, limit)})`
      if (grownLeast / allowed > worst.share || worst.text === '') {
        Object.assign(worst, { text, share: grownLeast / allowed })
      }
      if (grownLeast <= allowed) return 'flat'
      examples.push(text)
      return 'grows'
    }
    let examples: string[] = []
    for (const [process, readings] of byProcess(history, usages, from)) {
      for (const figure of Object.keys(limits) as (keyof typeof limits)[]) {
        const points = readings.flatMap((usage) => {
          const value = usage[figure]
          return value === undefined ? [] : { at: usage.at / 1e6, value }
        })
        const outcome = judge(`${process} ${figure}`, leastOfEach(points, readingsOfOne), limits[figure])
        if (outcome === 'grows') for (const text of examples) findings.violation(text)
        if (outcome === 'unknown' && points.length > 0) {
          findings.cannotTell(
            `${process} ${figure}: ${points.length} readings, ${leastPoints * readingsOfOne} needed`,
          )
        }
        examples = []
      }
    }
    for (const [workload, points] of latencies(history, from, last.at)) {
      if (judge(`latency of ${workload}`, points, latencyLimit) === 'grows') {
        for (const text of examples) report(text, from, last.at, context, findings)
      }
      examples = []
    }
    findings.summary = `${findings.examined} trends; the steepest: ${worst.text}`
    return findings
  },
}

/** Others that came to use the machine in the second half slow everything down. */
function report(text: string, from: number, until: number, context: FullContext, findings: Findings): void {
  const middle = (from + until) / 2
  const [before, after] = [context.othersShare(from, middle), context.othersShare(middle, until)]
  if (after !== null && after > mostTaken && after > (before ?? 0)) {
    findings.cannotTell(`${text}; but others took ${(after * 100).toFixed(0)} % of the machine later on`)
  } else findings.violation(text)
}

/** Above this share of the machine taken by others, slowness is no proof. */
const mostTaken = 0.1

function amount(value: number, { unit, scale }: Pick<Limit, 'unit' | 'scale'>): string {
  return `${(value / scale).toFixed(1)} ${unit}`
}

/** Readings after `from` of each process: one started anew begins anew. */
function byProcess(
  history: History,
  usages: readonly PodUsage[],
  from: number,
): ReadonlyMap<string, readonly PodUsage[]> {
  const { processes } = operationsOf(history)
  const readings = new Map<string, PodUsage[]>()
  for (const usage of usages) {
    if (usage.at < from) continue
    const generation = (processes.get(usage.pod) ?? []).filter(({ at }) => at <= usage.at).length
    const key = generation > 1 ? `${usage.pod} (${generation})` : usage.pod
    const list = readings.get(key) ?? []
    list.push(usage)
    readings.set(key, list)
  }
  return readings
}

/** The least of each `count` points in a row. */
function leastOfEach(points: readonly Point[], count: number): readonly Point[] {
  const least: Point[] = []
  for (let at = 0; at + count <= points.length; at += count) {
    least.push(points.slice(at, at + count).reduce((a, b) => (b.value < a.value ? b : a)))
  }
  return least
}

/** The median latency of each workload, ms, over stretches of the soak. */
function latencies(history: History, from: number, until: number): ReadonlyMap<string, readonly Point[]> {
  const stretchUs = Math.max(1, (until - from) / latencyStretches)
  const values = new Map<string, number[][]>()
  for (const { offered, answers } of operationsOf(history).offers.values()) {
    const [answer] = answers
    if (offered === undefined || answer?.outcome !== 'completed') continue
    if (offered.at < from || offered.at >= until) continue
    const list = values.get(offered.workload) ?? Array.from({ length: latencyStretches }, () => [])
    const index = Math.min(latencyStretches - 1, Math.floor((offered.at - from) / stretchUs))
    list[index]?.push((answer.at - offered.planned) / 1000)
    values.set(offered.workload, list)
  }
  return new Map(
    [...values].map(([workload, list]) => [
      workload,
      list.flatMap((times, index) =>
        times.length === 0
          ? []
          : {
              at: (index * stretchUs) / 1e6,
              value: times.sort((a, b) => a - b)[times.length >> 1]!,
            },
      ),
    ]),
  )
}
