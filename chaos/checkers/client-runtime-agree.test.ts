import t from 'tap'
import { runChecker } from './checker.ts'
import { clientRuntimeAgree } from './client-runtime-agree.ts'
import { aRun, changed, historyOf, without } from './sample-history.ts'

t.test('passes when the client was told what is on record', async (t) => {
  const failed = changed(changed(aRun({ id: '2' }), 'run.ended', { status: 'failed' }), 'run.answered', {
    outcome: 'failed',
  })
  t.match(runChecker(clientRuntimeAgree, historyOf(aRun(), failed)), { outcome: 'pass', examined: 2 })
})

t.test('fails when client and record differ', async (t) => {
  for (const spoiled of [
    changed(aRun(), 'run.ended', { status: 'failed' }),
    changed(aRun(), 'run.answered', { outcome: 'failed' }),
    changed(aRun(), 'run.ended', { at: 2_000 }),
    without(aRun(), 'run.ended'),
  ]) {
    t.equal(runChecker(clientRuntimeAgree, historyOf(spoiled)).outcome, 'fail')
  }
})

t.test('fails when two clients are told of one run', async (t) => {
  const other = changed(aRun({ id: '2' }), 'run.answered', { runId: 'r1' })
  t.match(runChecker(clientRuntimeAgree, historyOf(aRun(), other)), {
    outcome: 'fail',
    examples: ['run r1: told to q1 and to q2'],
  })
})

t.test('cannot tell without answers', async (t) => {
  t.equal(runChecker(clientRuntimeAgree, historyOf(without(aRun(), 'run.answered'))).outcome, 'unknown')
})
