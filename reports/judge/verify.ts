// Recomputes a report's verdict from its own figures, and lists whatever does not agree.

import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import type { Verdict } from '../../contracts/exit-codes.ts'
import type { LoadResult } from '../../contracts/load.ts'
import type { Judgement, Results, ScenarioResult, ThresholdResult } from '../../contracts/results.ts'
import { meets, samplesNeeded } from './threshold.ts'
import { outcomeOf, suiteVerdict, verdictOf } from './verdict.ts'

export interface Verification {
  /** From the figures; at best INVALID where something does not agree. */
  readonly verdict: Verdict
  /** One line each; empty: the file holds together. */
  readonly disagreements: readonly string[]
}

/** Share by which a percentile may differ from its histogram's, which keeps 3 digits. */
const histogramTolerance = 0.002

/** Needs nothing but the results: no clock, no network, no targets file. */
export function verifyResults(results: Results): Verification {
  const recomputed = results.scenarios.map((scenario) => ({
    scenario,
    judgements: scenario.judgements.map(rejudged),
  }))
  const suiteJudgements = (results.judgements ?? []).map(rejudged)
  const scenarios = recomputed.map(({ scenario, judgements }) => ({
    verdict: verdictOf(judgements, scenario.ended),
  }))
  const verdict = suiteVerdict(scenarios, suiteJudgements)
  const disagreements = [
    ...results.scenarios.flatMap((scenario, index) => [
      ...scenarioDisagreements(scenario, scenarios[index]?.verdict ?? 'INVALID'),
    ]),
    ...(results.judgements ?? []).flatMap((judgement) => judgementDisagreements(results.suite, judgement)),
    ...results.notMeasured
      .filter((threshold) => threshold.outcome !== 'not measured' || threshold.measured !== null)
      .map((threshold) => `${threshold.name}: stands among the targets not measured, but has an outcome`),
    ...(verdict === results.verdict ? [] : [`suite: says ${results.verdict}, its scenarios give ${verdict}`]),
  ]
  return {
    verdict: verdict === 'PASS' && disagreements.length > 0 ? 'INVALID' : verdict,
    disagreements,
  }
}

/**
 * The judgement with the outcome that its own figures give. One that says unknown stays so: a scenario may
 * have a reason that the figures do not show, e.g. that others had the machine.
 */
function rejudged(judgement: Judgement): Judgement {
  if (judgement.kind === 'checker' || judgement.outcome === 'unknown') return judgement
  return { ...judgement, outcome: thresholdOutcome(judgement) }
}

function thresholdOutcome(threshold: ThresholdResult): ThresholdResult['outcome'] {
  if (threshold.outcome === 'not measured' && threshold.measured === null) return 'not measured'
  if (threshold.measured === null) return 'unknown'
  const few = threshold.samples !== undefined && threshold.samples < samplesNeeded(threshold.statistic)
  if (few) return 'unknown'
  if (meets(threshold, threshold.measured)) return 'pass'
  return threshold.ifMissed === 'INVALID' ? 'unknown' : 'fail'
}

function scenarioDisagreements(scenario: ScenarioResult, verdict: Verdict): readonly string[] {
  const name = scenario.scenario
  return [
    ...scenario.judgements.flatMap((judgement) => judgementDisagreements(name, judgement)),
    ...(verdict === scenario.verdict
      ? []
      : [`${name}: says ${scenario.verdict}, its judgements give ${verdict}`]),
    ...scenario.loads.flatMap(({ name: load, load: result }) =>
      loadDisagreements(result).map((line) => `${name}, load ${load}: ${line}`),
    ),
    ...affinityDisagreements(scenario),
  ]
}

function judgementDisagreements(where: string, judgement: Judgement): readonly string[] {
  const stated = judgement.outcome
  if (judgement.kind === 'threshold') {
    const computed = thresholdOutcome(judgement)
    if (computed === stated || stated === 'unknown') return []
    return [`${where}, ${judgement.name}: says ${stated}, its figures give ${computed}`]
  }
  const counterexamples = judgement.examples?.length ?? 0
  return [
    ...(outcomeOf(judgement) === stated
      ? []
      : [`${where}, ${judgement.name}: says pass, but examined nothing`]),
    ...(stated === 'pass' && counterexamples > 0
      ? [`${where}, ${judgement.name}: says pass, but has ${counterexamples} counterexamples`]
      : []),
  ]
}

function loadDisagreements(load: LoadResult): readonly string[] {
  const ended = load.completed + load.failed + load.refused + load.unknown
  const sum = (key: 'offered' | 'completed'): number =>
    load.seconds.reduce((total, second) => total + second[key], 0)
  return [
    ...(ended === load.offered ? [] : [`offered ${load.offered}, but ${ended} came to an end`]),
    ...(load.incorrect <= load.completed
      ? []
      : [`${load.incorrect} wrong values of ${load.completed} completed`]),
    ...(load.seconds.length === 0 || sum('offered') === load.offered
      ? []
      : [`offered ${load.offered}, but its seconds add up to ${sum('offered')}`]),
    ...(load.seconds.length === 0 || sum('completed') === load.completed
      ? []
      : [`completed ${load.completed}, but its seconds add up to ${sum('completed')}`]),
    ...histogramDisagreements(load),
  ]
}

function histogramDisagreements({ histogram, latency }: LoadResult): readonly string[] {
  if (histogram === '') return latency.count === 0 ? [] : ['has no histogram behind its percentiles']
  try {
    const decoded = decodeFromCompressedBase64(histogram)
    if (decoded.totalCount !== latency.count) {
      return [`latency counts ${latency.count}, its histogram ${decoded.totalCount}`]
    }
    const percentiles = [
      ['p50', latency.p50Ms, 50],
      ['p90', latency.p90Ms, 90],
      ['p95', latency.p95Ms, 95],
      ['p99', latency.p99Ms, 99],
    ] as const
    return percentiles.flatMap(([name, stated, percentile]) => {
      if (stated === null) return []
      const computed = decoded.getValueAtPercentile(percentile) / 1_000
      const near = Math.abs(computed - stated) <= Math.max(0.002, computed * histogramTolerance)
      return near ? [] : [`${name} is ${stated} ms, its histogram gives ${computed} ms`]
    })
  } catch {
    return ['its histogram cannot be read']
  }
}

function affinityDisagreements({ affinity, scenario, verdict }: ScenarioResult): readonly string[] {
  if (affinity === undefined || verdict !== 'PASS') return []
  const strays = affinity.rows.flatMap((row, index) =>
    affinity.columns.filter((column, at) => column !== row && (affinity.counts[index]?.[at] ?? 0) > 0),
  )
  return strays.length === 0
    ? []
    : [`${scenario}: says PASS, but callbacks reached another pod (${strays.join(', ')})`]
}
