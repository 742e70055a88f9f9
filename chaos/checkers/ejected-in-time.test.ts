import t from 'tap'
import type { WitnessedRecord } from '../../contracts/history.ts'
import { runChecker } from './checker.ts'
import { ejectedInTime } from './ejected-in-time.ts'
import { aProcess, aRun, historyOf, witnessed } from './sample-history.ts'

const state = (at: number, word: 'ready' | 'ejected', balancer = 'lb-1'): readonly WitnessedRecord[] =>
  witnessed('balancer', balancer, {
    ...{ at, kind: 'backend.state', backend: '127.0.0.1:8080', instanceId: 'pod-a-1', state: word },
  })
const kills = [{ pod: 'pod-a', role: 'component-server', at: 1_000_000 }] as const
const context = { kills, collectedAt: 9_000_000 }
const before = [...aProcess('pod-a'), ...state(10, 'ready'), ...state(20, 'ready', 'lb-2')]

t.test('passes when every balancer puts the killed pod out soon', async (t) => {
  const history = historyOf(before, state(1_100_000, 'ejected'), state(1_200_000, 'ejected', 'lb-2'))
  t.match(runChecker(ejectedInTime, history, context), {
    outcome: 'pass',
    examined: 2,
    reason: /out after 0\.200 s at the latest/,
  })
})

t.test('fails when one is late or never does', async (t) => {
  const one = historyOf(before, state(1_100_000, 'ejected'))
  t.match(runChecker(ejectedInTime, one, context), {
    outcome: 'fail',
    examples: ['lb-2: pod-a was killed, and never put out'],
  })
  const late = historyOf(before, state(1_100_000, 'ejected'), state(5_000_000, 'ejected', 'lb-2'))
  t.match(runChecker(ejectedInTime, late, context), { examples: [/lb-2: .* put out 4\.000 s later/] })
  const busy = { ...context, othersShare: () => 0.6 }
  t.equal(runChecker(ejectedInTime, late, busy).outcome, 'fail', 'too late on the busiest machine')
  const hardly = historyOf(before, state(1_100_000, 'ejected'), state(2_000_000, 'ejected', 'lb-2'))
  t.equal(runChecker(ejectedInTime, hardly, context).outcome, 'fail')
  t.equal(runChecker(ejectedInTime, hardly, busy).outcome, 'unknown')
})

const stopping = witnessed('component-server', 'pod-a', {
  ...{ at: 500_000, kind: 'process.stopping', reason: 'SIGTERM' },
})

t.test('fails when a leaving pod goes on getting calls', async (t) => {
  const history = (at: number) => historyOf(aProcess('pod-a'), stopping, aRun({ at }))
  t.equal(runChecker(ejectedInTime, history(1_000_000)).outcome, 'pass')
  t.match(runChecker(ejectedInTime, history(3_000_000)), {
    outcome: 'fail',
    examples: ['pod-a: told to stop, and got 1 new calls later than 2.000 s after that'],
  })
  const busy = { ...context, kills: [], othersShare: () => 0.6 }
  t.equal(runChecker(ejectedInTime, history(3_000_000), busy).outcome, 'unknown')
  t.equal(runChecker(ejectedInTime, history(30_000_000), busy).outcome, 'fail', 'too late on any machine')
})

t.test('cannot tell when nobody left', async (t) => {
  t.equal(runChecker(ejectedInTime, historyOf(before)).outcome, 'unknown')
})
