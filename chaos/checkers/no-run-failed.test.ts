import t from 'tap'
import { runChecker } from './checker.ts'
import { noRunFailed } from './no-run-failed.ts'
import { aRun, changed, historyOf, without } from './sample-history.ts'

t.test('passes when every run completed', async (t) => {
  t.match(runChecker(noRunFailed, historyOf(aRun(), aRun({ id: '2' }))), { outcome: 'pass', examined: 2 })
})

t.test('fails on each run that did not, and says how', async (t) => {
  const failed = changed(aRun({ id: '2' }), 'run.answered', { outcome: 'failed', error: 'step "s" failed' })
  const refused = changed(aRun({ id: '3' }), 'run.answered', {
    outcome: 'refused',
    runId: undefined,
    error: '503',
  })
  t.match(runChecker(noRunFailed, historyOf(aRun(), failed, refused)), {
    outcome: 'fail',
    examined: 3,
    examples: ['q2 (run r2): failed: step "s" failed', 'q3: refused: 503'],
  })
})

t.test(
  'cannot tell of runs without an answer, of those that an interruption gave up, and of none',
  async (t) => {
    const open = without(aRun({ id: '2' }), 'run.answered')
    t.equal(runChecker(noRunFailed, historyOf(aRun(), open)).outcome, 'unknown')
    const given = changed(aRun(), 'run.answered', { outcome: 'unknown', error: 'interrupted' })
    t.equal(runChecker(noRunFailed, historyOf(given), { interrupted: true }).outcome, 'unknown')
    t.equal(runChecker(noRunFailed, historyOf(given)).outcome, 'fail')
    t.match(runChecker(noRunFailed, []), { outcome: 'unknown', examined: 0 })
  },
)
