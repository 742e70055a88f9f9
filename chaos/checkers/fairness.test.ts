import t from 'tap'
import type { WitnessedRecord } from '../../contracts/history.ts'
import { runChecker } from './checker.ts'
import { fairShares, jainIndex } from './eligibility.ts'
import { fairness } from './fairness.ts'
import { aRun, historyOf, only, witnessed } from './sample-history.ts'

/** `count` calls of a pod, evenly from `from` s to `until` s. */
function calls(pod: string, count: number, from: number, until: number): readonly WitnessedRecord[] {
  return Array.from({ length: count }, (_, i) =>
    only(
      aRun({ id: `${pod}-${from}-${i}`, pod, at: 1e6 * (from + ((until - from) * (i + 0.5)) / count) }),
      'execute.received',
    ),
  ).flat()
}

function state(pod: string, at: number, ready: boolean): readonly WitnessedRecord[] {
  return witnessed('harness', pod, {
    ...{ at: at * 1e6, kind: 'pod.state', role: 'component-server', pod, address: '' },
    ...{ phase: ready ? 'Running' : 'Gone', ready, restarts: 0 },
  })
}

const settled = { settleUs: 0 }

t.test('passes an even spread', async (t) => {
  const history = historyOf(
    state('a', 0, true),
    state('b', 0, true),
    calls('a', 50, 0, 10),
    calls('b', 49, 0, 10),
  )
  t.match(runChecker(fairness, history, settled), { outcome: 'pass', examined: 99 })
})

t.test('fails when one pod takes all', async (t) => {
  const history = historyOf(state('a', 0, true), state('b', 0, true), calls('a', 100, 0, 10))
  t.match(runChecker(fairness, history, settled), { outcome: 'fail', reason: /index 0\.5/ })
})

t.test('a pod is due its share only while it is ready', async (t) => {
  const history = historyOf(
    state('a', 0, true),
    state('b', 5, true),
    calls('a', 100, 0, 5),
    calls('a', 50, 5, 10),
    calls('b', 50, 5, 10),
  )
  t.match(runChecker(fairness, history, settled), { outcome: 'pass', reason: /b 50 of 50\.0 due/ })
})

t.test('a pod is due nothing while it settles, nor after its kill', async (t) => {
  const history = historyOf(
    state('a', 0, true),
    state('b', 0, true),
    calls('a', 30, 0, 3),
    calls('a', 30, 3, 6),
    calls('b', 30, 3, 6),
    calls('a', 30, 6, 9),
    state('b', 9, false),
  )
  const kills = [{ pod: 'b', role: 'component-server', at: 6e6 }] as const
  t.equal(runChecker(fairness, history, { settleUs: 3e6, kills }).outcome, 'pass')
  t.equal(runChecker(fairness, history, { settleUs: 0, kills }).outcome, 'fail')
  t.equal(runChecker(fairness, history, { settleUs: 3e6 }).outcome, 'fail')
})

t.test('cannot tell from a few calls, from one pod, or from none', async (t) => {
  const ready = [...state('a', 0, true), ...state('b', 0, true)]
  t.equal(
    runChecker(fairness, historyOf(ready, calls('a', 5, 0, 1), calls('b', 5, 0, 1)), settled).outcome,
    'unknown',
  )
  t.equal(
    runChecker(fairness, historyOf(state('a', 0, true), calls('a', 99, 0, 1)), settled).outcome,
    'unknown',
  )
  t.match(runChecker(fairness, historyOf(ready), settled), { outcome: 'unknown', examined: 0 })
})

t.test("Jain's index is 1 for even shares and 1/n when one of n takes all", async (t) => {
  t.equal(jainIndex([{ pod: 'a', calls: 3, expected: 3 }]), 1)
  t.equal(
    jainIndex([
      { pod: 'a', calls: 40, expected: 10 },
      ...['b', 'c', 'd'].map((pod) => ({ pod, calls: 0, expected: 10 })),
    ]),
    0.25,
  )
  t.equal(jainIndex([]), null)
})

t.test('shares are due between changes of the eligible set', async (t) => {
  const eligible = new Map([
    ['a', [{ from: 0, until: 100 }]],
    ['b', [{ from: 50, until: 100 }]],
  ])
  const at = new Map([
    ['a', [10, 20, 60]],
    ['b', [70, 80, 90]],
  ])
  t.same(fairShares(eligible, at), [
    { pod: 'a', calls: 3, expected: 4 },
    { pod: 'b', calls: 3, expected: 2 },
  ])
})
