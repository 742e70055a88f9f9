import t from 'tap'
import { runChecker } from './checker.ts'
import { noCrossTalk } from './no-cross-talk.ts'
import { aRun, changed, historyOf, only } from './sample-history.ts'

t.test('passes when each run gets what is its own', async (t) => {
  t.match(runChecker(noCrossTalk, historyOf(aRun(), aRun({ id: '2' }))), { outcome: 'pass', examined: 4 })
})

t.test("fails when a run gets another input's value", async (t) => {
  const swapped = changed(aRun(), 'run.answered', { correct: false, foreign: true, got: '{"nonce":"2"}' })
  t.match(runChecker(noCrossTalk, historyOf(swapped)), {
    outcome: 'fail',
    examples: ['q1 (run r1): got the value of another input: {"nonce":"2"}'],
  })
})

t.test("fails when a callback is read on another call's stream", async (t) => {
  t.match(runChecker(noCrossTalk, historyOf(changed(aRun(), 'callback.received', { requestId: 'c2' }))), {
    outcome: 'fail',
    examples: ['callback b1: sent in call c1, read in call c2'],
  })
})

t.test('fails when a pod executes a call for another run or step than it was sent for', async (t) => {
  const executed = { runId: 'r1', stepId: 's' }
  t.equal(runChecker(noCrossTalk, historyOf(changed(aRun(), 'execute.received', executed))).outcome, 'pass')
  for (const wrong of [
    { ...executed, runId: 'r2' },
    { ...executed, stepId: 'other' },
  ]) {
    t.equal(runChecker(noCrossTalk, historyOf(changed(aRun(), 'execute.received', wrong))).outcome, 'fail')
  }
})

t.test('cannot tell when values do not show whose they are', async (t) => {
  const alike = changed(only(aRun(), 'run.offered', 'run.answered'), 'run.answered', { foreign: undefined })
  t.match(runChecker(noCrossTalk, historyOf(alike)), { outcome: 'unknown', examined: 0 })
})
