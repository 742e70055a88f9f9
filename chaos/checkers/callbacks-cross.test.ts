import t from 'tap'
import { callbacksCross } from './callbacks-cross.ts'
import { runChecker } from './checker.ts'
import { aRun, changed, historyOf } from './sample-history.ts'

const through = (id: string, stream: string, reply: string) =>
  changed(changed(aRun({ id }), 'execute.received', { via: stream }), 'callback.resolved', { via: reply })

t.test('passes when a reply came through another balancer than its stream', async (t) => {
  const history = historyOf(through('1', '1.1 lb-a', '1.1 lb-a'), through('2', '1.1 lb-a', '1.1 lb-b'))
  t.match(runChecker(callbacksCross, history), {
    outcome: 'pass',
    examined: 2,
    reason: '1 of 2 replies crossed between 2 balancers',
  })
})

t.test('cannot tell when none crossed, or no balancer named itself', async (t) => {
  const same = historyOf(through('1', '1.1 lb-a', '1.1 lb-a'))
  t.match(runChecker(callbacksCross, same), { outcome: 'unknown', examined: 1 })
  t.match(runChecker(callbacksCross, historyOf(aRun())), { outcome: 'unknown', examined: 0 })
})
