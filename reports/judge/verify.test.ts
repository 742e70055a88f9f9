// Tests of the offline verification: each lie of a file is found.

import t from 'tap'
import type { Results, ScenarioResult } from '../../contracts/results.ts'
import { sampleResults } from '../testing/sample.ts'
import { verifyResults } from './verify.ts'

/** The passing sample with the scenario at `index` changed. */
function changed(index: number, change: (scenario: ScenarioResult) => Partial<ScenarioResult>): Results {
  const results = sampleResults('pass')
  return {
    ...results,
    scenarios: results.scenarios.map((scenario, at) =>
      at === index ? { ...scenario, ...change(scenario) } : scenario,
    ),
  }
}

t.test('every sample gives its own verdict', async (t) => {
  for (const kind of ['pass', 'fail', 'invalid', 'interrupted', 'broken'] as const) {
    const results = sampleResults(kind)
    t.strictSame(verifyResults(results), { verdict: results.verdict, disagreements: [] }, kind)
  }
})

t.test('finds a threshold that says pass beyond its target', async (t) => {
  const results = changed(3, ({ judgements }) => ({
    judgements: judgements.map((one) => (one.kind === 'threshold' ? { ...one, measured: 99 } : one)),
  }))
  const { verdict, disagreements } = verifyResults(results)
  t.equal(verdict, 'FAIL')
  t.match(disagreements.join('\n'), /overhead, overhead-p50: says pass, its figures give fail/)
  t.match(disagreements.join('\n'), /overhead: says PASS, its judgements give FAIL/)
  t.match(disagreements.join('\n'), /suite: says PASS, its scenarios give FAIL/)
})

t.test('finds a threshold with too few samples, and a missed precondition', async (t) => {
  const few = changed(3, ({ judgements }) => ({
    judgements: judgements.map((one) => ({ ...one, samples: 3 })),
  }))
  t.equal(verifyResults(few).verdict, 'INVALID')
  const missed = changed(4, ({ judgements }) => ({
    judgements: judgements.map((one) => (one.name === 'streams-at-kill' ? { ...one, measured: 3 } : one)),
  }))
  t.match(verifyResults(missed), {
    verdict: 'INVALID',
    disagreements: [/its figures give unknown/, /./, /./],
  })
})

t.test('finds a checker that passes on nothing, or in spite of counterexamples', async (t) => {
  const nothing = changed(0, ({ judgements }) => ({
    judgements: judgements.map((one) => ({ ...one, examined: 0 })),
  }))
  t.match(verifyResults(nothing).disagreements[0], /smoke, values: says pass, but examined nothing/)
  const despite = changed(0, ({ judgements }) => ({
    judgements: judgements.map((one) => ({ ...one, examples: ['run 1 is wrong'] })),
  }))
  t.match(verifyResults(despite), { verdict: 'INVALID', disagreements: [/has 1 counterexamples/, /./] })
})

t.test('finds a verdict that was changed alone', async (t) => {
  const results: Results = { ...sampleResults('fail'), verdict: 'PASS' }
  t.match(verifyResults(results), { verdict: 'FAIL', disagreements: [/suite: says PASS/] })
})

t.test('finds callbacks that went astray under a PASS', async (t) => {
  const results = changed(1, ({ affinity }) => ({
    affinity: { ...affinity!, counts: affinity!.counts.map((row) => row.map((count) => count + 1)) },
  }))
  t.match(verifyResults(results), { verdict: 'INVALID', disagreements: [/callbacks reached another pod/] })
})

t.test('finds counts and percentiles that the load itself does not bear out', async (t) => {
  const lie = (more: object) =>
    verifyResults(
      changed(1, ({ loads }) => ({
        loads: loads.map((one) => ({ ...one, load: { ...one.load, ...more } })),
      })),
    ).disagreements.join('\n')
  const { load } = sampleResults('pass').scenarios[1]!.loads[0]!
  t.match(lie({ failed: 9 }), /offered \d+, but \d+ came to an end/)
  t.match(lie({ incorrect: 1e6 }), /1000000 wrong values/)
  t.match(lie({ seconds: load.seconds.slice(1) }), /its seconds add up to/)
  t.match(lie({ latency: { ...load.latency, p99Ms: 1 } }), /p99 is 1 ms, its histogram gives/)
  t.match(lie({ latency: { ...load.latency, count: 1 } }), /latency counts 1, its histogram/)
  t.match(lie({ histogram: 'x' }), /histogram cannot be read/)
  t.match(lie({ histogram: '' }), /no histogram/)
})

t.test('finds an outcome among the targets not measured', async (t) => {
  const results = sampleResults('pass')
  const [first] = results.notMeasured
  t.match(verifyResults({ ...results, notMeasured: [{ ...first!, outcome: 'pass' }] }).disagreements, [
    /not measured/,
  ])
})

t.test('a missed target that was held for unknown stays unknown', async (t) => {
  const unknown = changed(3, ({ judgements }) => ({
    verdict: 'INVALID',
    judgements: judgements.map((one) =>
      one.kind === 'threshold'
        ? { ...one, measured: 99, outcome: 'unknown', reason: 'others had the machine' }
        : one,
    ),
  }))
  t.strictSame(verifyResults({ ...unknown, verdict: 'INVALID' }), { verdict: 'INVALID', disagreements: [] })
})
