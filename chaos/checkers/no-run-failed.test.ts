import t from 'tap'
import { runChecker } from './checker.ts'
import { noRunFailed } from './no-run-failed.ts'
import { aRun, changed, historyOf, without } from './sample-history.ts'

t.test('passes when every run completes', async (t) => {
  t.match(runChecker(noRunFailed, historyOf(aRun(), aRun({ id: '2' }))), {
    outcome: 'pass',
    reason: '2 of 2 completed',
  })
})

t.test('fails on a failed, a refused, an unknown and a missing answer', async (t) => {
  for (const outcome of ['failed', 'refused', 'unknown']) {
    t.match(
      runChecker(noRunFailed, historyOf(changed(aRun(), 'run.answered', { outcome, error: 'because' }))),
      {
        outcome: 'fail',
        examples: [`q1 (run r1): ${outcome}: because`],
      },
    )
  }
  t.equal(runChecker(noRunFailed, historyOf(without(aRun(), 'run.answered'))).outcome, 'fail')
})

t.test('an interrupted trial says nothing of what was open', async (t) => {
  const open = historyOf(changed(aRun(), 'run.answered', { outcome: 'unknown' }))
  t.equal(runChecker(noRunFailed, open, { interrupted: true }).outcome, 'unknown')
  const refused = (error: string) =>
    runChecker(noRunFailed, historyOf(changed(aRun(), 'run.answered', { outcome: 'refused', error })), {
      interrupted: true,
    }).outcome
  t.equal(refused('interrupted'), 'unknown', 'it was never sent')
  t.equal(refused('ECONNREFUSED'), 'fail', 'the interruption does not excuse the system')
})

t.test('cannot tell without offers', async (t) => {
  t.equal(runChecker(noRunFailed, []).outcome, 'unknown')
})
