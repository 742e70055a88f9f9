import t from 'tap'
import { callbacksCross } from './callbacks-cross.ts'
import { runChecker } from './checker.ts'
import { aRun, changed, historyOf } from './sample-history.ts'

const routed = (id: string, call: string, reply: string) =>
  changed(changed(aRun({ id }), 'execute.received', { via: call }), 'callback.resolved', { via: reply })

t.test('passes when a reply came through another balancer than its call', async (t) => {
  t.match(runChecker(callbacksCross, historyOf(routed('1', 'lb-1', 'lb-1'), routed('2', 'lb-1', 'lb-2'))), {
    outcome: 'pass',
    reason: '1 of 2 replies crossed between 2 balancers',
  })
})

t.test('cannot tell when none crossed, or when balancers are not named', async (t) => {
  t.match(runChecker(callbacksCross, historyOf(routed('1', 'lb-1', 'lb-1'))), {
    outcome: 'unknown',
    examples: ['no reply crossed'],
  })
  t.match(runChecker(callbacksCross, historyOf(aRun())), { outcome: 'unknown', examined: 0 })
})
