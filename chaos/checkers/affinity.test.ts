import t from 'tap'
import { affinity } from './affinity.ts'
import { runChecker } from './checker.ts'
import { aProcess, aRun, changed, historyOf, only, without, witnessed } from './sample-history.ts'

const pods = [...aProcess('pod-a'), ...aProcess('pod-b')]
const foreign = (pod: string, at: number, fields = {}) =>
  witnessed('component-server', pod, { at, kind: 'callback.foreign', callbackId: 'b1', ...fields })

t.test('passes when every reply reaches its sender', async (t) => {
  t.match(runChecker(affinity, historyOf(pods, aRun(), aRun({ id: '2', pod: 'pod-b' }))), {
    outcome: 'pass',
    examined: 2,
    reason: /2 replies to callbacks of 2 pods/,
  })
})

t.test('fails when another pod resolves it', async (t) => {
  const moved = aRun().map((record) =>
    record.kind === 'callback.resolved' ? { ...record, pod: 'pod-b' } : record,
  )
  t.match(runChecker(affinity, historyOf(pods, moved)), {
    outcome: 'fail',
    examples: ['callback b1: sent by pod-a, resolved at pod-b'],
  })
})

t.test('fails when a reply reaches a pod that does not wait for it', async (t) => {
  const history = historyOf(
    pods,
    without(aRun(), 'callback.resolved'),
    foreign('pod-b', 1_080, { pinned: 'pod-a-1' }),
  )
  t.match(runChecker(affinity, history), {
    outcome: 'fail',
    examples: ['callback b1: sent by pod-a, its reply reached pod-b with instance id pod-a-1'],
  })
})

t.test('fails when a reply comes twice', async (t) => {
  t.equal(runChecker(affinity, historyOf(pods, aRun(), foreign('pod-a', 1_095))).outcome, 'fail')
  const twice = only(aRun(), 'callback.resolved')
  t.equal(runChecker(affinity, historyOf(pods, aRun(), twice)).outcome, 'fail')
})

t.test('a reply that reaches the right process after its call has ended is late, not misled', async (t) => {
  const unresolved = without(aRun(), 'callback.resolved')
  t.match(runChecker(affinity, historyOf(pods, unresolved, foreign('pod-a', 1_105))), {
    outcome: 'pass',
    reason: /1 of them after their call had ended/,
  })
  t.equal(runChecker(affinity, historyOf(pods, unresolved, foreign('pod-a', 1_095))).outcome, 'fail')
})

t.test('fails when the next process of the same pod gets the reply', async (t) => {
  const history = historyOf(pods, aRun(), aProcess('pod-a', 1_070, '2'))
  t.match(runChecker(affinity, history), {
    outcome: 'fail',
    examples: ['callback b1: resolved at pod-a by a later process than its sender'],
  })
})

t.test('fails when the runtime replies to another instance or to none', async (t) => {
  const misled = changed(aRun(), 'callback.replied', { instanceId: 'pod-b-1' })
  t.match(runChecker(affinity, historyOf(pods, misled)), {
    outcome: 'fail',
    examples: ["callback b1: replied to pod-b-1, its stream is pod-a-1's"],
  })
  const silent = changed(aRun(), 'callback.replied', { instanceId: undefined })
  t.match(runChecker(affinity, historyOf(pods, silent)), {
    outcome: 'fail',
    examples: [/replied to no instance/],
  })
})

t.test('cannot tell when pods share a callback id, or without callbacks', async (t) => {
  const shared = only(aRun({ pod: 'pod-b' }), 'callback.sent')
  t.equal(runChecker(affinity, historyOf(pods, aRun(), shared)).outcome, 'unknown')
  t.match(runChecker(affinity, historyOf(pods)), { outcome: 'unknown', examined: 0 })
})
