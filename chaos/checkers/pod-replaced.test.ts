import t from 'tap'
import type { WitnessedRecord } from '../../contracts/history.ts'
import { runChecker } from './checker.ts'
import { podReplaced } from './pod-replaced.ts'
import { aRun, historyOf, only, witnessed } from './sample-history.ts'

const kills = [{ pod: 'a', role: 'component-server', at: 2_000_000 }] as const
const context = { kills, collectedAt: 60_000_000 }

function state(pod: string, at: number, ready: boolean): readonly WitnessedRecord[] {
  return witnessed('harness', pod, {
    ...{ at: at * 1e6, kind: 'pod.state', role: 'component-server', pod, address: '' },
    ...{ phase: ready ? 'Running' : 'Gone', ready, restarts: 0 },
  })
}

function calls(pod: string, count: number, from: number): readonly WitnessedRecord[] {
  return Array.from({ length: count }, (_, i) =>
    only(aRun({ id: `${pod}-${from}-${i}`, pod, at: from * 1e6 + i }), 'execute.received'),
  ).flat()
}

const before = [...state('a', 0, true), ...state('b', 0, true), ...state('a', 2.1, false)]

t.test('passes when a new pod becomes ready and serves', async (t) => {
  t.match(runChecker(podReplaced, historyOf(before, state('c', 3.5, true), calls('c', 1, 4)), context), {
    outcome: 'pass',
    examined: 1,
    reason: /a replaced by c: ready after 1\.500 s, served after 2\.000 s/,
  })
})

t.test('passes when the pod itself comes back', async (t) => {
  t.equal(
    runChecker(podReplaced, historyOf(before, state('a', 3, true), calls('a', 1, 4)), context).outcome,
    'pass',
  )
})

t.test('fails when nothing becomes ready in time', async (t) => {
  t.match(runChecker(podReplaced, historyOf(before), context), {
    outcome: 'fail',
    examples: ['a: no successor became ready within 30.000 s'],
  })
  t.equal(
    runChecker(podReplaced, historyOf(before, state('c', 33, true), calls('c', 9, 34)), context).outcome,
    'fail',
  )
  t.equal(runChecker(podReplaced, historyOf(before), { ...context, collectedAt: 9e6 }).outcome, 'unknown')
})

t.test('one new pod does not replace two', async (t) => {
  const two = [...kills, { pod: 'b', role: 'component-server', at: 2_000_000 }] as const
  const history = historyOf(before, state('b', 2.1, false), state('c', 3, true), calls('c', 1, 4))
  t.equal(runChecker(podReplaced, history, { ...context, kills: two }).outcome, 'fail')
})

t.test('fails when the new pod is passed over, and cannot tell when nothing came at all', async (t) => {
  const ready = [...before, ...state('c', 3, true)]
  t.match(runChecker(podReplaced, historyOf(ready, calls('b', 50, 4)), context), {
    outcome: 'fail',
    examples: ['c: ready, and not one of the next 50 calls came to it'],
  })
  t.equal(runChecker(podReplaced, historyOf(ready, calls('b', 3, 4)), context).outcome, 'unknown')
})

t.test('cannot tell without a kill', async (t) => {
  t.equal(runChecker(podReplaced, historyOf(before)).outcome, 'unknown')
})
