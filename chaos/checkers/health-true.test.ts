import t from 'tap'
import type { PodHealth, WitnessedRecord } from '../../contracts/history.ts'
import { runChecker } from './checker.ts'
import { healthTrue } from './health-true.ts'
import { aProcess, aRun, changed, historyOf, witnessed } from './sample-history.ts'

const health = (at: number, fields: Partial<PodHealth> = {}): readonly WitnessedRecord[] =>
  witnessed('harness', 'pod-a', {
    ...{ at, kind: 'pod.health', role: 'component-server', pod: 'pod-a', says: 'ready', ...fields },
  })
const state = (at: number, ready: boolean): readonly WitnessedRecord[] =>
  witnessed('harness', 'pod-a', {
    ...{ at, kind: 'pod.state', role: 'component-server', pod: 'pod-a', address: '127.0.0.1' },
    ...{ phase: 'Running', ready, restarts: 0 },
  })
const stopping = witnessed('component-server', 'pod-a', {
  ...{ at: 1_000_000, kind: 'process.stopping', reason: 'SIGTERM' },
})
const claims = (at: number): readonly WitnessedRecord[] =>
  witnessed('harness', 'lb-1', {
    ...{ at, kind: 'pod.health', role: 'balancer', pod: 'lb-1', says: 'ready' },
    ...{ backends: { 'pod-a-1': true } },
  })

t.test('passes when words and deeds agree', async (t) => {
  const history = historyOf(
    aProcess('pod-a'),
    state(0, true),
    aRun(),
    health(500_000),
    claims(600_000),
    stopping,
    health(2_100_000, { says: 'not ready' }),
  )
  t.match(runChecker(healthTrue, history), { outcome: 'pass', examined: 3 })
})

t.test('fails when a pod that stops says ready', async (t) => {
  const history = historyOf(aProcess('pod-a'), stopping, health(2_500_000))
  t.match(runChecker(healthTrue, history), {
    outcome: 'fail',
    examples: ['pod-a: says ready 1.500 s after it was told to stop'],
  })
})

t.test('fails when a pod that is given work says that it is not ready', async (t) => {
  const history = historyOf(aProcess('pod-a'), state(0, true), health(6_000_000, { says: 'not ready' }))
  t.match(runChecker(healthTrue, history), { outcome: 'fail', examples: [/given work for 6\.000 s/] })
})

t.test('fails when a balancer calls a dead or leaving pod healthy', async (t) => {
  const left = historyOf(aProcess('pod-a'), stopping, claims(4_000_000))
  t.match(runChecker(healthTrue, left), {
    outcome: 'fail',
    examples: ['lb-1: calls pod-a-1 healthy 3.000 s after its end'],
  })
  t.equal(runChecker(healthTrue, left, { othersShare: () => 0.5 }).outcome, 'unknown')
  const kills = [{ pod: 'pod-a', role: 'component-server', at: 1_000_000 }] as const
  t.equal(runChecker(healthTrue, historyOf(aProcess('pod-a'), claims(4_000_000)), { kills }).outcome, 'fail')
})

t.test(
  'a process that started in the place of a killed one is another: it may be called healthy',
  async (t) => {
    const kills = [{ pod: 'pod-a', role: 'component-server', at: 1_000_000, goneAt: 1_010_000 }] as const
    const next = changed(aProcess('pod-a'), 'process.started', { at: 1_500_000, instanceId: 'pod-a-2' })
    const calls = (instance: string) =>
      historyOf(
        aProcess('pod-a'),
        next,
        changed(claims(9_000_000), 'pod.health', { backends: { [instance]: true } }),
      )
    t.equal(runChecker(healthTrue, calls('pod-a-2'), { kills }).outcome, 'pass')
    t.match(runChecker(healthTrue, calls('pod-a-1'), { kills }), {
      outcome: 'fail',
      examples: ['lb-1: calls pod-a-1 healthy 7.990 s after its end'],
    })
  },
)

t.test('fails when a pod says ready and fails its calls', async (t) => {
  const direct = changed(aRun({ at: 700_000 }), 'execute.received', { stream: false })
  const history = historyOf(
    aProcess('pod-a'),
    health(500_000),
    changed(direct, 'execute.answered', { outcome: 'failed' }),
  )
  t.match(runChecker(healthTrue, history), {
    outcome: 'fail',
    examples: ['pod-a: says ready, and fails 1 of 1 direct calls'],
  })
  t.equal(runChecker(healthTrue, history, { ownFlow: true }).outcome, 'pass', "a user's steps may fail")
})

t.test('cannot tell when nobody was asked', async (t) => {
  t.equal(runChecker(healthTrue, historyOf(aProcess('pod-a'), aRun())).outcome, 'unknown')
})
