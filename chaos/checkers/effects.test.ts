import t from 'tap'
import { runChecker } from './checker.ts'
import { effects } from './effects.ts'
import { aProcess, aRun, changed, historyOf, only, without } from './sample-history.ts'

const process = aProcess('pod-a')

t.test('passes when each step ran once', async (t) => {
  t.match(runChecker(effects, historyOf(process, aRun(), aRun({ id: '2' }))), {
    outcome: 'pass',
    reason: '2 steps, 2 executions at the pods',
  })
})

/** The step is tried a second time, by another call. */
const again = only(aRun({ id: '2', at: 1_050 }), 'call.sent', 'execute.received').map((record) =>
  record.kind === 'call.sent' ? { ...record, runId: 'r1', attempt: 2 } : record,
)

t.test('fails when a step runs again though nobody asked for it', async (t) => {
  const history = historyOf(process, aRun(), again)
  t.match(runChecker(effects, history), {
    outcome: 'fail',
    examples: [/run r1 step s item 0: ran 2 times, and its flow asks for no retry/],
  })
  t.equal(runChecker(effects, history, { ownFlow: true }).outcome, 'pass', "a user's own flow may retry")
})

t.test('fails when one call runs twice, whatever the flow asks for', async (t) => {
  const twice = only(aRun(), 'execute.received').map((record) => ({ ...record, at: 1_045 }))
  t.match(runChecker(effects, historyOf(process, aRun(), twice), { ownFlow: true }), {
    outcome: 'fail',
    examples: [/asked for 1 times, ran 2 times/],
  })
})

t.test('fails when a result has no execution behind it', async (t) => {
  const made = without(aRun({ id: '2' }), 'execute.received')
  t.match(runChecker(effects, historyOf(process, aRun(), made)), {
    outcome: 'fail',
    examples: ['run r2 step s item 0: has a result, and no pod ran it'],
  })
})

t.test('a step that failed before it reached a pod ran nowhere', async (t) => {
  const failed = changed(without(aRun({ id: '2' }), 'execute.received', 'execute.answered'), 'step.result', {
    outcome: 'failed',
    error: 'refused',
  })
  t.equal(runChecker(effects, historyOf(process, aRun(), failed)).outcome, 'pass')
})

t.test('cannot tell without calls', async (t) => {
  t.equal(runChecker(effects, historyOf(process)).outcome, 'unknown')
})
