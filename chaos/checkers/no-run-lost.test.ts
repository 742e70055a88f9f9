import t from 'tap'
import { runChecker } from './checker.ts'
import { noRunLost } from './no-run-lost.ts'
import { aRun, changed, historyOf, without } from './sample-history.ts'

const late = { collectedAt: 10_000_000 }
const runtimeKill = { pod: 'runtime-1', role: 'runtime', at: 1_050 } as const

t.test('passes when every run is answered and ended', async (t) => {
  t.match(runChecker(noRunLost, historyOf(aRun(), aRun({ id: '2' })), late), { outcome: 'pass', examined: 2 })
})

t.test('fails when the client was never answered', async (t) => {
  t.match(runChecker(noRunLost, historyOf(without(aRun(), 'run.answered')), late), {
    outcome: 'fail',
    examples: ['q1: offered and never answered'],
  })
})

t.test('an unknown outcome is a failure, unless a killed runtime explains it', async (t) => {
  const history = historyOf(
    changed(aRun(), 'run.answered', { outcome: 'unknown', runId: undefined, error: 'no answer in 5 s' }),
  )
  t.match(runChecker(noRunLost, history, late), {
    outcome: 'fail',
    examples: [/q1: outcome unknown: no answer/],
  })
  t.match(runChecker(noRunLost, history, { ...late, kills: [runtimeKill] }), {
    outcome: 'pass',
    reason: /1 lost with a killed runtime/,
  })
  const pod = { ...runtimeKill, pod: 'pod-a', role: 'component-server' } as const
  t.equal(runChecker(noRunLost, history, { ...late, kills: [pod] }).outcome, 'fail')
  t.equal(runChecker(noRunLost, history, { ...late, interrupted: true }).outcome, 'unknown')
})

t.test(
  'an answer that did not come in time is no proof where the client or the machine stood still',
  async (t) => {
    const waited = (at: number, error: string) =>
      historyOf(changed(aRun(), 'run.answered', { at, outcome: 'unknown', runId: undefined, error }))
    const history = waited(10_001_000, 'no answer within 10000 ms')
    t.equal(runChecker(noRunLost, history, late).outcome, 'fail')
    t.equal(runChecker(noRunLost, history, { ...late, clientStarved: true }).outcome, 'unknown')
    t.equal(runChecker(noRunLost, history, { ...late, othersShare: () => 0.6 }).outcome, 'unknown')
    t.equal(runChecker(noRunLost, history, { ...late, othersShare: () => 0.4 }).outcome, 'fail')
    const reset = waited(10_001_000, 'read ECONNRESET')
    t.equal(runChecker(noRunLost, reset, { ...late, othersShare: () => 0.5 }).outcome, 'fail')
    t.equal(runChecker(noRunLost, reset, { ...late, othersShare: () => 0.7 }).outcome, 'unknown')
    t.equal(runChecker(noRunLost, reset, { ...late, clientStarved: true }).outcome, 'fail')
  },
)

t.test('an accepted run without an end is lost once the deadline has passed', async (t) => {
  const history = historyOf(aRun(), without(aRun({ id: '2' }), 'run.ended', 'run.answered', 'run.offered'))
  t.match(runChecker(noRunLost, history, late), {
    outcome: 'fail',
    examples: ['run r2: accepted and never ended'],
  })
  t.equal(runChecker(noRunLost, history).outcome, 'unknown')
  t.equal(runChecker(noRunLost, history, { ...late, healedAt: 9_000_000 }).outcome, 'unknown')
  t.equal(runChecker(noRunLost, history, { ...late, kills: [runtimeKill] }).outcome, 'pass')
})

t.test('fails when the client was told of a run that the runtime does not know', async (t) => {
  t.match(runChecker(noRunLost, historyOf(changed(aRun(), 'run.answered', { runId: 'r9' })), late), {
    outcome: 'fail',
    examples: [/r9, which the runtime never accepted/],
  })
})

t.test('a refused run is answered', async (t) => {
  const refused = changed(without(aRun(), 'run.accepted', 'run.ended'), 'run.answered', {
    ...{ outcome: 'refused', runId: undefined },
  })
  t.match(runChecker(noRunLost, historyOf(refused), late), { outcome: 'pass', reason: /1 refused/ })
})

t.test('cannot tell anything of an empty history', async (t) => {
  t.match(runChecker(noRunLost, [], late), { outcome: 'unknown', examined: 0 })
})
