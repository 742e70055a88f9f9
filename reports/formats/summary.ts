// A suite in a few rows of text: what the terminal's table and summary.md both show.

import type { Verdict } from '../../contracts/exit-codes.ts'
import type { Judgement, Outcome, Results, ThresholdResult } from '../../contracts/results.ts'
import { meets } from '../judge/threshold.ts'
import { judgementsOf, outcomeOf } from '../judge/verdict.ts'
import { formatAgainst, formatDurationMs, formatNumber, formatQuantity, plural } from '../words.ts'
import { largestGroup, loadGroups } from './loads.ts'

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
  readonly result: Verdict | 'not measured' | EarlierResult
}

/** How a target came out that a benchmark measured before the suite: shown, not judged. */
export type EarlierResult = 'met earlier' | 'short earlier'

/** What an outcome is called in a table. */
export const resultWords: Readonly<Record<Outcome | 'not measured', Verdict | 'not measured'>> = {
  pass: 'PASS',
  fail: 'FAIL',
  unknown: 'INVALID',
  'not measured': 'not measured',
}

/** One row a scenario, in the order of the suite. */
export function scenarioRows(results: Results): readonly ScenarioRow[] {
  return results.scenarios.map((scenario) => {
    const groups = loadGroups(scenario.loads)
    const sum = (key: 'offered' | 'completed' | 'incorrect'): number =>
      groups.reduce((total, group) => total + group[key], 0)
    const latency = largestGroup(groups)?.latency
    return {
      scenario: scenario.scenario,
      verdict: scenario.verdict,
      checks: checksOf(scenario.judgements),
      runs: groups.length === 0 ? '' : formatNumber(sum('offered')),
      failed: groups.length === 0 ? '' : formatNumber(sum('offered') - sum('completed') + sum('incorrect')),
      p50: latency === undefined ? '' : formatMs(latency.p50Ms),
      p99: latency === undefined ? '' : formatMs(latency.p99Ms),
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
    result: targetResult(threshold),
  }))
}

/** The word in a target's last column. */
export function targetResult(threshold: ThresholdResult): TargetRow['result'] {
  const outcome = outcomeOf(threshold)
  if (outcome !== 'not measured' || threshold.earlier === undefined) return resultWords[outcome]
  return meets(threshold, threshold.earlier.measured) ? 'met earlier' : 'short earlier'
}

/** Thresholds of all scenarios and of the suite, then those not measured. */
export function thresholdsOf(results: Results): readonly ThresholdResult[] {
  const measured = judgementsOf(results)
    .map(({ judgement }) => judgement)
    .filter((judgement) => judgement.kind === 'threshold')
  return [...measured, ...results.notMeasured]
}

/** `96.2 req/s`, or `none`. */
export function measuredText(threshold: ThresholdResult): string {
  const figure = shownFigure(threshold)
  return figure === null ? 'none' : formatAgainst(figure, threshold.target, threshold.unit)
}

/** What was measured, here or by a benchmark before; null: nothing. */
export function shownFigure({ measured, earlier }: ThresholdResult): number | null {
  return measured ?? earlier?.measured ?? null
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
  const where = (outcome: Outcome): string => {
    const found = judgementsOf(results).filter(({ judgement }) => outcomeOf(judgement) === outcome)
    return `in ${listed([...new Set(found.map(({ scenario }) => scenario ?? 'the suite as a whole'))])}`
  }
  switch (results.verdict) {
    case 'PASS':
      return `All ${plural(judged, 'check')} ${within} hold.`
    case 'FAIL':
      return `${count('fail')} of ${plural(judged, 'check')} ${within} ${count('fail') === 1 ? 'does' : 'do'} not hold: ${where('fail')}.`
    case 'INVALID':
      if (ended.some((scenario) => scenario.ended?.kind === 'error')) {
        return 'The harness broke before it could judge; nothing here says how good the system is.'
      }
      if (ended.length > 0) return 'Interrupted: what was measured until then is below, and is not a verdict.'
      if (judged === 0) return 'Nothing was judged, so nothing is proved.'
      return `The measurement cannot be trusted: ${count('unknown')} of ${plural(judged, 'check')} ${within} could not be decided: ${where('unknown')}.`
  }
}

/** `a`, `a and b`, `a, b and c`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** Judgements that hold, of those that judge: `5/5`. */
export function checksOf(judgements: readonly Judgement[]): string {
  const outcomes = judgements.map(outcomeOf).filter((outcome) => outcome !== 'not measured')
  return `${outcomes.filter((outcome) => outcome === 'pass').length}/${outcomes.length}`
}

/** `4.21 ms`, or `none`. */
export function formatMs(value: number | null): string {
  return value === null ? 'none' : formatQuantity(value, 'ms')
}
