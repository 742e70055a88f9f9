import t from 'tap'
import { runChecker } from './checker.ts'
import { noneHangs } from './none-hangs.ts'
import { aProcess, aRun, historyOf, without, witnessed } from './sample-history.ts'

const late = { collectedAt: 10_000_000 }
const kill = { pod: 'pod-a', role: 'component-server', at: 1_045 } as const

t.test('passes when everything has ended', async (t) => {
  t.match(runChecker(noneHangs, historyOf(aRun(), aRun({ id: '2' })), late), { outcome: 'pass', examined: 6 })
})

t.test('fails when an arrival, a run or a call is open past the deadline', async (t) => {
  for (const [kind, text] of [
    ['run.answered', 'q1: offered, still open'],
    ['run.ended', 'run r1: accepted, still open, steps without result: none'],
    ['execute.answered', 'call c1: executing at pod-a, still open'],
  ] as const) {
    const history = historyOf(without(aRun(), kind))
    t.match(runChecker(noneHangs, history, late), { outcome: 'fail', examples: [text] })
    t.match(runChecker(noneHangs, history, { collectedAt: 5_000_900 }), { outcome: 'unknown' })
    t.match(runChecker(noneHangs, history, { ...late, healedAt: 6_000_000 }), { outcome: 'unknown' })
  }
  const stuck = historyOf(without(aRun(), 'run.ended', 'step.result'))
  t.match(runChecker(noneHangs, stuck, late), { examples: [/steps without result: s/] })
})

t.test('time in which others had the machine does not count towards the deadline', async (t) => {
  const open = historyOf(without(aRun(), 'run.ended'))
  const beside = (share: number | null) =>
    runChecker(noneHangs, open, { ...late, othersShare: () => share }).outcome
  t.equal(beside(null), 'fail')
  t.equal(beside(0.4), 'fail', '6 of 10 s were its own')
  t.equal(beside(0.6), 'unknown', 'only 4 of 10 s were its own')
})

t.test('what was open in a process that is gone does not hang', async (t) => {
  const open = historyOf(aProcess('pod-a'), without(aRun(), 'execute.answered'))
  t.equal(runChecker(noneHangs, open, { ...late, kills: [kill] }).outcome, 'pass')
  const other = { ...kill, pod: 'pod-b' }
  t.equal(runChecker(noneHangs, open, { ...late, kills: [other] }).outcome, 'fail')
  t.equal(runChecker(noneHangs, historyOf(open, aProcess('pod-a', 2_000, '2')), late).outcome, 'pass')
  const gone = witnessed('harness', 'pod-a', {
    ...{ at: 3_000, kind: 'pod.state', role: 'component-server', pod: 'pod-a', address: '' },
    ...{ phase: 'Gone', ready: false, restarts: 0 },
  })
  t.equal(runChecker(noneHangs, historyOf(open, gone), late).outcome, 'pass')
})

t.test('cannot tell anything of an empty history', async (t) => {
  t.match(runChecker(noneHangs, [], late), { outcome: 'unknown', examined: 0 })
})
