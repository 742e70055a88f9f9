// A suite in a few rows of text: what the terminal's table and summary.md both show.

import type { Verdict } from '../../contracts/exit-codes.ts'
import type { Judgement, Outcome, Results, ThresholdResult } from '../../contracts/results.ts'
import { judgementsOf, outcomeOf } from '../judge/verdict.ts'
import { formatAgainst, formatDurationMs, formatNumber, formatQuantity, plural } from '../words.ts'

export interface ScenarioRow {
  readonly scenario: string
  readonly verdict: Verdict
  /** Judgements that hold, of those that judge: `5/5`. */
  readonly checks: string
  readonly runs: string
  /** Runs that did not complete with the right value. */
  readonly failed: string
  readonly p50: string
  readonly p99: string
  readonly time: string
}

export interface TargetRow {
  readonly target: string
  readonly measured: string
  readonly wanted: string
  readonly result: Verdict | 'not measured'
}

/** What an outcome is called in a table. */
export const resultWords: Readonly<Record<Outcome | 'not measured', TargetRow['result']>> = {
  pass: 'PASS',
  fail: 'FAIL',
  unknown: 'INVALID',
  'not measured': 'not measured',
}

/** One row a scenario, in the order of the suite. */
export function scenarioRows(results: Results): readonly ScenarioRow[] {
  return results.scenarios.map((scenario) => {
    const loads = scenario.loads.map(({ load }) => load)
    const sum = (key: 'offered' | 'completed' | 'incorrect'): number =>
      loads.reduce((total, load) => total + load[key], 0)
    // Percentiles of several loads do not add up: those of the largest are shown.
    const largest = loads.reduce<(typeof loads)[number] | undefined>(
      (best, load) => (best === undefined || load.latency.count > best.latency.count ? load : best),
      undefined,
    )
    return {
      scenario: scenario.scenario,
      verdict: scenario.verdict,
      checks: checksOf(scenario.judgements),
      runs: loads.length === 0 ? '' : formatNumber(sum('offered')),
      failed: loads.length === 0 ? '' : formatNumber(sum('offered') - sum('completed') + sum('incorrect')),
      p50: largest === undefined ? '' : formatMs(largest.latency.p50Ms),
      p99: largest === undefined ? '' : formatMs(largest.latency.p99Ms),
      time: formatDurationMs((scenario.endedAt - scenario.startedAt) / 1_000),
    }
  })
}

/** One row a threshold: those measured first, then those that nothing in this suite measures. */
export function targetRows(results: Results): readonly TargetRow[] {
  return thresholdsOf(results).map((threshold) => ({
    target: threshold.name,
    measured: measuredText(threshold),
    wanted: wantedText(threshold),
    result: resultWords[outcomeOf(threshold)],
  }))
}

/** Thresholds of all scenarios and of the suite, then those not measured. */
export function thresholdsOf(results: Results): readonly ThresholdResult[] {
  const measured = judgementsOf(results)
    .map(({ judgement }) => judgement)
    .filter((judgement) => judgement.kind === 'threshold')
  return [...measured, ...results.notMeasured]
}

/** `96.2 req/s`, or `none`. */
export function measuredText({ measured, target, unit }: ThresholdResult): string {
  return measured === null ? 'none' : formatAgainst(measured, target, unit)
}

/** `at least 95 req/s`. */
export function wantedText({ comparison, target, unit }: ThresholdResult): string {
  return `${comparison} ${formatQuantity(target, unit)}`
}

/** The verdict in one sentence. */
export function verdictSentence(results: Results): string {
  const outcomes = judgementsOf(results).map(({ judgement }) => outcomeOf(judgement))
  const judged = outcomes.filter((outcome) => outcome !== 'not measured').length
  const count = (outcome: Outcome): number => outcomes.filter((one) => one === outcome).length
  const ended = results.scenarios.filter((scenario) => scenario.ended !== undefined)
  const within = `in ${plural(results.scenarios.length, 'scenario')}`
  switch (results.verdict) {
    case 'PASS':
      return `All ${plural(judged, 'check')} ${within} hold.`
    case 'FAIL':
      return `${count('fail')} of ${plural(judged, 'check')} ${within} ${count('fail') === 1 ? 'does' : 'do'} not hold.`
    case 'INVALID':
      if (ended.some((scenario) => scenario.ended?.kind === 'error')) {
        return 'The harness broke before it could judge; nothing here says how good the system is.'
      }
      if (ended.length > 0) return 'Interrupted: what was measured until then is below, and is not a verdict.'
      if (judged === 0) return 'Nothing was judged, so nothing is proved.'
      return `The measurement cannot be trusted: ${count('unknown')} of ${plural(judged, 'check')} ${within} could not be decided.`
  }
}

function checksOf(judgements: readonly Judgement[]): string {
  const outcomes = judgements.map(outcomeOf).filter((outcome) => outcome !== 'not measured')
  return `${outcomes.filter((outcome) => outcome === 'pass').length}/${outcomes.length}`
}

function formatMs(value: number | null): string {
  return value === null ? 'none' : formatQuantity(value, 'ms')
}
