// Judgements in, verdict out: FAIL beats INVALID beats PASS, and what proves nothing is INVALID.

import type { Verdict } from '../../contracts/exit-codes.ts'
import type { Judgement, Outcome, Results, ScenarioResult } from '../../contracts/results.ts'

/**
 * What a judgement counts as. A pass that looked at nothing (a checker that examined 0, a threshold with no
 * sample or no figure) counts as unknown, whatever it says of itself.
 */
export function outcomeOf(judgement: Judgement): Outcome | 'not measured' {
  if (judgement.outcome !== 'pass') return judgement.outcome
  if (judgement.kind === 'checker') return judgement.examined > 0 ? 'pass' : 'unknown'
  const empty = judgement.samples === 0 || judgement.measured === null
  return empty || !Number.isFinite(judgement.measured) ? 'unknown' : 'pass'
}

/**
 * The verdict of a scenario: FAIL where a judgement fails; else INVALID where one is unknown, where the
 * scenario did not end by itself, or where nothing was judged; else PASS. `not measured` does not judge.
 */
export function verdictOf(judgements: readonly Judgement[], ended?: ScenarioResult['ended']): Verdict {
  const outcomes = judgements.map(outcomeOf).filter((outcome) => outcome !== 'not measured')
  if (outcomes.includes('fail')) return 'FAIL'
  const proved = ended === undefined && outcomes.length > 0 && !outcomes.includes('unknown')
  return proved ? 'PASS' : 'INVALID'
}

/**
 * The verdict of a suite, from its scenarios' verdicts and the judgements on it as a whole. No scenario at
 * all is INVALID.
 */
export function suiteVerdict(
  scenarios: readonly Pick<ScenarioResult, 'verdict'>[],
  judgements: readonly Judgement[] = [],
): Verdict {
  const verdicts = scenarios.map((scenario) => scenario.verdict)
  const outcomes = judgements.map(outcomeOf)
  if (verdicts.includes('FAIL') || outcomes.includes('fail')) return 'FAIL'
  const invalid = verdicts.length === 0 || verdicts.includes('INVALID') || outcomes.includes('unknown')
  return invalid ? 'INVALID' : 'PASS'
}

/** Why a result is not PASS: one line of the report's top, with the command that runs it again. */
export interface Reason {
  readonly verdict: 'FAIL' | 'INVALID'
  /** Absent: the suite as a whole. */
  readonly scenario?: string
  /** The checker's or target's name; absent where the scenario did not end or judged nothing. */
  readonly name?: string
  readonly claim: string
  readonly reason: string
  readonly examples: readonly string[]
  readonly replay: string
}

/** Every reason for anything that is not PASS: FAIL first, in the order of the suite otherwise. */
export function reasonsOf(results: Results): readonly Reason[] {
  const reasons = results.scenarios.flatMap((scenario) => [
    ...reasonsOfJudgements(scenario.judgements, scenario.replay, scenario.scenario),
    ...reasonsOfEnd(scenario),
  ])
  reasons.push(...reasonsOfJudgements(results.judgements ?? [], results.command))
  if (results.scenarios.length === 0) {
    reasons.push({
      verdict: 'INVALID',
      claim: 'The suite runs at least one scenario',
      reason: 'no scenario was run, so nothing is proved',
      examples: [],
      replay: results.command,
    })
  }
  return [
    ...reasons.filter((reason) => reason.verdict === 'FAIL'),
    ...reasons.filter((reason) => reason.verdict === 'INVALID'),
  ]
}

function reasonsOfJudgements(
  judgements: readonly Judgement[],
  replay: string,
  scenario?: string,
): readonly Reason[] {
  return judgements.flatMap((judgement) => {
    const outcome = outcomeOf(judgement)
    if (outcome !== 'fail' && outcome !== 'unknown') return []
    const emptyPass = outcome === 'unknown' && judgement.outcome === 'pass'
    return {
      verdict: outcome === 'fail' ? ('FAIL' as const) : ('INVALID' as const),
      ...(scenario === undefined ? {} : { scenario }),
      name: judgement.name,
      claim: judgement.claim,
      reason: emptyPass
        ? `it looked at nothing, which proves nothing: ${judgement.reason}`
        : judgement.reason,
      examples: judgement.kind === 'checker' ? (judgement.examples ?? []) : [],
      replay,
    }
  })
}

function reasonsOfEnd(scenario: ScenarioResult): readonly Reason[] {
  const base = {
    scenario: scenario.scenario,
    verdict: 'INVALID',
    examples: [],
    replay: scenario.replay,
  } as const
  const { ended } = scenario
  if (ended !== undefined) {
    const claim = ended.kind === 'interrupted' ? 'The scenario runs to its end' : 'The harness itself works'
    return [{ ...base, claim, reason: ended.message }]
  }
  if (scenario.judgements.some((judgement) => judgement.outcome !== 'not measured')) return []
  return [
    { ...base, claim: 'The scenario judges something', reason: 'nothing was judged, so nothing is proved' },
  ]
}

/** Every judgement of a suite with the scenario that made it. */
export function judgementsOf(
  results: Results,
): readonly { readonly scenario?: string; readonly judgement: Judgement }[] {
  return [
    ...results.scenarios.flatMap(({ scenario, judgements }) =>
      judgements.map((judgement) => ({ scenario, judgement })),
    ),
    ...(results.judgements ?? []).map((judgement) => ({ judgement })),
  ]
}
