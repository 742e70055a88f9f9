// Questions with known answers, put to everything that judges before a session begins: a harness whose checker is
// asleep, whose verdict forgives or whose comparison takes any value must not judge at all.

import { checkers } from '../chaos/checkers/index.ts'
import { checkerProblems } from '../chaos/checkers/proof.ts'
import { exitCodeOf } from '../contracts/exit-codes.ts'
import type { CheckerResult, Judgement } from '../contracts/results.ts'
import type { NamedTarget } from '../contracts/targets.ts'
import { judgeThreshold, suiteVerdict, verdictOf } from '../reports/index.ts'
import { jsonEqual } from './load/json-equal.ts'
import { seededRandom } from './scenario/random.ts'

const judgement = (outcome: CheckerResult['outcome'], examined = 1): Judgement => ({
  ...{ kind: 'checker', name: 'x', claim: 'x', outcome, reason: 'x', examined },
})

const target = (comparison: NamedTarget['comparison']): NamedTarget => ({
  ...{ name: 'x', claim: 'x', scenario: 'x', statistic: 'mean', window: 'x', unit: 'ms', comparison },
  target: 10,
})

/** What was asked, the answer, and what it had to be. */
type Answer = readonly [question: string, given: unknown, wanted: unknown]

/** Asked anew each time: what answers may have been changed. */
function answers(): readonly Answer[] {
  const verdict = (...outcomes: readonly Judgement[]) => verdictOf(outcomes)
  const judged = (comparison: NamedTarget['comparison'], measured: number) =>
    judgeThreshold(target(comparison), measured, 10).outcome
  const drawn = seededRandom(7)()
  return [
    ['the verdict of a fail among passes', verdict(judgement('pass'), judgement('fail')), 'FAIL'],
    ['the verdict of a fail and an unknown', verdict(judgement('unknown'), judgement('fail')), 'FAIL'],
    ['the verdict of an unknown', verdict(judgement('pass'), judgement('unknown')), 'INVALID'],
    ['the verdict of a pass that looked at nothing', verdict(judgement('pass', 0)), 'INVALID'],
    ['the verdict of nothing', verdict(), 'INVALID'],
    ['the verdict of passes', verdict(judgement('pass')), 'PASS'],
    ['the verdict of a suite', suiteVerdict([{ verdict: 'PASS' }, { verdict: 'FAIL' }]), 'FAIL'],
    ['the exit code of FAIL', exitCodeOf('FAIL'), 1],
    ['the exit code of INVALID', exitCodeOf('INVALID'), 3],
    ['11 of at most 10', judged('at most', 11), 'fail'],
    ['9 of at most 10', judged('at most', 9), 'pass'],
    ['9 of at least 10', judged('at least', 9), 'fail'],
    ['whether other values are equal', jsonEqual({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }), false],
    ['whether fewer members are equal', jsonEqual({ a: 1, b: 2 }, { a: 1 }), false],
    ['whether equal values are equal', jsonEqual({ a: 1, b: 2 }, { b: 2, a: 1 }), true],
    ['the choice of a seed', seededRandom(7)(), drawn],
    ['whether another seed chooses the same', seededRandom(8)() === drawn, false],
  ]
}

/** The judgement on the harness itself; it costs some milliseconds. */
export function judgeJudges(): CheckerResult {
  const asked = answers()
  const wrong = [
    ...checkerProblems(checkers),
    ...asked
      .filter(([, given, wanted]) => given !== wanted)
      .map(([question, given, wanted]) => `${question}: ${String(given)}, which is ${String(wanted)}`),
  ]
  const examined = asked.length + Object.keys(checkers).length
  return {
    kind: 'checker',
    name: 'judges-awake',
    claim: 'checkers, thresholds, comparisons and verdicts give the known answers to questions that have one',
    outcome: wrong.length === 0 ? 'pass' : 'fail',
    reason: wrong.length === 0 ? `${examined} known answers` : `${wrong.length} wrong: ${wrong[0]}`,
    examined,
    ...(wrong.length === 0 ? {} : { examples: wrong.slice(0, 20) }),
  }
}
