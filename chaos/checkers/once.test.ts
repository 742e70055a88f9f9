import t from 'tap'
import { runChecker } from './checker.ts'
import { once } from './once.ts'
import { aRun, changed, historyOf, only, witnessed } from './sample-history.ts'

t.test('passes when everything happens once', async (t) => {
  t.match(runChecker(once, historyOf(aRun(), aRun({ id: '2', pod: 'pod-b' }))), {
    outcome: 'pass',
    examined: 4,
  })
})

t.test('fails when a step result is recorded twice', async (t) => {
  t.match(runChecker(once, historyOf(aRun(), only(aRun(), 'step.result'))), {
    outcome: 'fail',
    examples: [/run r1 step s item 0: 2 results/],
  })
})

t.test('fails when one attempt is executed at two pods', async (t) => {
  t.match(runChecker(once, historyOf(aRun(), only(aRun({ pod: 'pod-b' }), 'execute.received'))), {
    outcome: 'fail',
    examples: ['call c1: one attempt executed 2 times: pod-a, pod-b'],
  })
})

t.test('passes a second attempt that is a call of its own', async (t) => {
  const again = changed(
    changed(only(aRun({ pod: 'pod-b', at: 2_000 }), 'call.sent', 'execute.received'), 'call.sent', {
      ...{ requestId: 'c1-2', attempt: 2 },
    }),
    'execute.received',
    { requestId: 'c1-2', attempt: 2 },
  )
  t.match(runChecker(once, historyOf(aRun(), again)), { outcome: 'pass', examined: 3 })
})

t.test('fails when a pod executes what nobody sent', async (t) => {
  const invented = only(aRun({ id: '9' }), 'execute.received')
  t.match(runChecker(once, historyOf(aRun(), invented)), {
    outcome: 'fail',
    examples: ['call c9: executed at pod-a, and nobody sent it'],
  })
})

t.test('knows the calls that the client sends itself', async (t) => {
  const direct = changed(only(aRun(), 'run.offered', 'run.answered'), 'run.offered', { request: 'c1' })
  const executed = only(aRun(), 'execute.received')
  t.equal(runChecker(once, historyOf(aRun({ id: '2' }), direct, executed)).outcome, 'pass')
})

t.test('fails when a run ends twice or the client is answered twice', async (t) => {
  t.match(runChecker(once, historyOf(aRun(), only(aRun(), 'run.ended', 'run.answered'))), {
    outcome: 'fail',
    examples: ['run r1: ended 2 times', 'q1: answered 2 times'],
  })
})

t.test('cannot tell without results and executions', async (t) => {
  t.equal(runChecker(once, historyOf(only(aRun(), 'run.offered'))).outcome, 'unknown')
  t.equal(runChecker(once, historyOf(witnessed('harness', 'harness'))).outcome, 'unknown')
})
