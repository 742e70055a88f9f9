import t from 'tap'
import { runChecker } from './checker.ts'
import { correctValues } from './correct-values.ts'
import { aRun, changed, historyOf } from './sample-history.ts'

t.test('passes when every result is the expected one', async (t) => {
  t.match(runChecker(correctValues, historyOf(aRun())), { outcome: 'pass', examined: 1 })
})

t.test('fails on a wrong value and shows it', async (t) => {
  const wrong = changed(aRun({ id: '2' }), 'run.answered', { correct: false, got: '{"result":5}' })
  t.match(runChecker(correctValues, historyOf(aRun(), wrong)), {
    outcome: 'fail',
    examined: 2,
    examples: ['q2 (run r2): got {"result":5}'],
  })
})

t.test('cannot tell when there was nothing to compare with', async (t) => {
  t.match(runChecker(correctValues, historyOf(changed(aRun(), 'run.answered', { correct: undefined }))), {
    outcome: 'unknown',
    examined: 0,
  })
  const failed = changed(aRun(), 'run.answered', { outcome: 'failed', correct: undefined })
  t.equal(runChecker(correctValues, historyOf(failed)).outcome, 'unknown')
})
