// Tests of the verdict: each rule seen failing.

import t from 'tap'
import type { CheckerResult, Judgement, Results, ThresholdResult } from '../../contracts/results.ts'
import { sampleResults } from '../testing/sample.ts'
import { outcomeOf, reasonsOf, suiteVerdict, verdictOf } from './verdict.ts'

const checker = (outcome: CheckerResult['outcome'], examined = 5): CheckerResult => ({
  kind: 'checker',
  name: 'values',
  claim: 'every value is right',
  outcome,
  reason: 'looked',
  examined,
})
const threshold = (
  outcome: ThresholdResult['outcome'],
  more: Partial<ThresholdResult> = {},
): ThresholdResult => ({
  kind: 'threshold',
  name: 'pod-rate',
  claim: 'fast enough',
  outcome,
  reason: 'measured',
  statistic: 'minimum',
  unit: 'req/s',
  comparison: 'at least',
  target: 95,
  measured: outcome === 'not measured' ? null : 99,
  ...more,
})

t.test('PASS takes a judgement, and all of them holding', async (t) => {
  t.equal(verdictOf([checker('pass'), threshold('pass')]), 'PASS')
})

t.test('FAIL beats INVALID beats PASS, in any order', async (t) => {
  const all: Judgement[] = [checker('pass'), checker('unknown'), threshold('fail')]
  t.equal(verdictOf(all), 'FAIL')
  t.equal(verdictOf([...all].reverse()), 'FAIL')
  t.equal(verdictOf([checker('unknown'), checker('pass')]), 'INVALID')
  t.equal(verdictOf([threshold('unknown'), checker('pass')]), 'INVALID')
})

t.test('nothing judged is INVALID', async (t) => {
  t.equal(verdictOf([]), 'INVALID')
  t.equal(verdictOf([threshold('not measured')]), 'INVALID')
})

t.test('a target not measured does not judge', async (t) => {
  t.equal(verdictOf([threshold('not measured'), checker('pass')]), 'PASS')
  t.equal(verdictOf([threshold('not measured'), checker('fail')]), 'FAIL')
})

t.test('a pass that looked at nothing is no pass', async (t) => {
  t.equal(outcomeOf(checker('pass', 0)), 'unknown')
  t.equal(outcomeOf(threshold('pass', { samples: 0 })), 'unknown')
  t.equal(outcomeOf(threshold('pass', { measured: null })), 'unknown')
  t.equal(outcomeOf(threshold('pass', { measured: Number.NaN })), 'unknown')
  t.equal(verdictOf([checker('pass', 0), checker('pass', 0)]), 'INVALID')
  t.equal(verdictOf([checker('pass', 0), checker('pass')]), 'INVALID')
  t.equal(outcomeOf(checker('fail', 0)), 'fail', 'a failure needs no count')
})

t.test('a scenario that did not end by itself cannot pass, but can fail', async (t) => {
  const ended = { kind: 'interrupted', message: 'SIGINT' } as const
  t.equal(verdictOf([checker('pass')], ended), 'INVALID')
  t.equal(verdictOf([checker('fail')], ended), 'FAIL')
})

t.test('a suite is as bad as its worst scenario or judgement', async (t) => {
  const [pass, fail, invalid] = [{ verdict: 'PASS' }, { verdict: 'FAIL' }, { verdict: 'INVALID' }] as const
  t.equal(suiteVerdict([pass, pass]), 'PASS')
  t.equal(suiteVerdict([pass, invalid]), 'INVALID')
  t.equal(suiteVerdict([invalid, fail, pass]), 'FAIL')
  t.equal(suiteVerdict([]), 'INVALID')
  t.equal(suiteVerdict([pass], [threshold('fail')]), 'FAIL')
  t.equal(suiteVerdict([pass], [threshold('unknown')]), 'INVALID')
  t.equal(suiteVerdict([pass], [threshold('not measured')]), 'PASS')
})

t.test('gives no reason for PASS', async (t) => {
  t.strictSame(reasonsOf(sampleResults('pass')), [])
})

t.test('gives every reason with its replay command, FAIL first', async (t) => {
  const results = sampleResults('fail')
  const invalid = { ...sampleResults('invalid').scenarios[2]!, scenario: 'first' }
  const reasons = reasonsOf({ ...results, scenarios: [invalid, ...results.scenarios] })
  t.strictSame(
    reasons.map(({ verdict, scenario, name }) => [verdict, scenario, name]),
    [
      ['FAIL', 'affinity', 'affinity'],
      ['FAIL', 'overhead', 'overhead-p50'],
      ['FAIL', 'overhead', 'overhead-p95'],
      ['FAIL', 'kill-mid-sse', 'no-run-hangs'],
      ['INVALID', 'first', 'generator'],
    ],
  )
  t.equal(reasons[0]?.replay, 'npx zx scenarios/affinity.mjs --seed 421337')
  t.equal(reasons[0]?.examples.length, 3)
})

t.test('says why an interrupted, a broken and an empty suite prove nothing', async (t) => {
  t.match(reasonsOf(sampleResults('interrupted')), [{ verdict: 'INVALID', reason: /SIGINT/ }])
  t.match(reasonsOf(sampleResults('broken')), [{ claim: /harness/, reason: /TypeError/ }])
  const empty: Results = { ...sampleResults('pass'), scenarios: [], judgements: [] }
  t.match(reasonsOf(empty), [{ verdict: 'INVALID', reason: /no scenario/ }])
  const unjudged = { ...sampleResults('pass').scenarios[0]!, judgements: [] }
  t.match(reasonsOf({ ...empty, scenarios: [unjudged] }), [
    { scenario: 'smoke', reason: /nothing was judged/ },
  ])
})

t.test('says that an empty pass looked at nothing', async (t) => {
  const scenario = { ...sampleResults('pass').scenarios[0]!, judgements: [checker('pass', 0)] }
  t.match(reasonsOf({ ...sampleResults('pass'), scenarios: [scenario], judgements: [] }), [
    { verdict: 'INVALID', reason: /looked at nothing/ },
  ])
})
