// Tests of thresholds: reached, missed, and not to be told.

import t from 'tap'
import type { NamedTarget } from '../../contracts/targets.ts'
import { judgeThreshold, notMeasured, samplesNeeded } from './threshold.ts'

const target: NamedTarget = {
  name: 'callback-p95',
  claim: 'A slow callback takes at most 5 ms',
  scenario: 'overhead',
  statistic: 'p95 of a round trip',
  window: 'after warm-up',
  unit: 'ms',
  comparison: 'at most',
  target: 5,
}

t.test('passes at the target and fails beyond it, both ways', async (t) => {
  t.match(judgeThreshold(target, 5, 100), { outcome: 'pass', measured: 5, samples: 100 })
  t.match(judgeThreshold(target, 5.0001, 100), {
    outcome: 'fail',
    reason: /5\.0001 ms, wanted is at most 5 ms/,
  })
  const least: NamedTarget = { ...target, comparison: 'at least', statistic: 'minimum' }
  t.match(judgeThreshold(least, 5), { outcome: 'pass' })
  t.match(judgeThreshold(least, 4.9999), { outcome: 'fail' })
})

t.test('carries name, window and scenario of the target', async (t) => {
  t.match(judgeThreshold(target, 3, 100), {
    kind: 'threshold',
    name: 'callback-p95',
    window: 'after warm-up',
    measuredBy: 'overhead',
    statistic: 'p95 of a round trip',
  })
})

t.test('a figure that could not be had is unknown, with the reason', async (t) => {
  t.match(judgeThreshold(target, { unknown: 'no pod was ready' }), {
    outcome: 'unknown',
    measured: null,
    reason: /^no pod was ready/,
  })
  t.match(judgeThreshold(target, Number.NaN, 100), { outcome: 'unknown', measured: null })
  t.match(judgeThreshold(target, Number.POSITIVE_INFINITY, 100), { outcome: 'unknown' })
})

t.test('too few samples for the percentile are unknown, good or bad', async (t) => {
  t.match(judgeThreshold(target, 3, 89), { outcome: 'unknown', reason: /89 samples .* takes 90/ })
  t.match(judgeThreshold(target, 30, 89), { outcome: 'unknown' })
  t.match(judgeThreshold(target, 3, 0), { outcome: 'unknown', reason: /there is no sample/ })
  t.match(judgeThreshold(target, 3, 90), { outcome: 'pass' })
})

t.test('knows how many samples a percentile takes at 99 % confidence', async (t) => {
  const statistics = ['minimum', 'p50', 'p90', 'p95 less p50', 'p99', 'p99.9 of a run']
  t.strictSame(statistics.map(samplesNeeded), [1, 7, 44, 90, 459, 4_603])
})

t.test('a missed precondition is unknown, not a failure of the system', async (t) => {
  const streams: NamedTarget = {
    ...target,
    comparison: 'at least',
    target: 20,
    ifMissed: 'INVALID',
    statistic: 'streams',
  }
  t.match(judgeThreshold(streams, 19), { outcome: 'unknown', measured: 19, ifMissed: 'INVALID' })
  t.match(judgeThreshold(streams, 20), { outcome: 'pass' })
})

t.test('shows a target that nothing measures without judging it', async (t) => {
  t.match(notMeasured(target), { outcome: 'not measured', measured: null, reason: /overhead/ })
  const earlier = { measured: 3.2, at: '2026-11-27T23:00:00.000Z', commit: 'abc1234' }
  t.match(notMeasured({ ...target, scenario: 'bench:balancer' }, earlier), {
    outcome: 'not measured',
    measured: null,
    earlier,
    reason: 'measured before this suite, by npm run bench:balancer on 2026-11-27, commit abc1234',
  })
})
