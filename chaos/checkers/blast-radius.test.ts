import t from 'tap'
import type { WitnessedRecord } from '../../contracts/history.ts'
import { blastRadius } from './blast-radius.ts'
import { runChecker } from './checker.ts'
import { aProcess, aRun, changed, historyOf, type SampleRun, without } from './sample-history.ts'

const pods = [...aProcess('pod-a'), ...aProcess('pod-b')]
const context = {
  kills: [{ pod: 'pod-a', role: 'component-server', at: 1_095, goneAt: 1_200 }],
  collectedAt: 20_000_000,
} as const

/** A run whose step fails at `failedAt`, as after the kill of its pod. */
function aFailedRun(run: SampleRun, failedAt = 2_000, error = 'pod-a is gone'): readonly WitnessedRecord[] {
  const cut = without(aRun(run), 'execute.answered')
  const failed = changed(cut, 'step.result', { at: failedAt, outcome: 'failed', error })
  const ended = changed(failed, 'run.ended', { at: failedAt + 1, status: 'failed' })
  return changed(ended, 'run.answered', {
    ...{ at: failedAt + 2, outcome: 'failed', error, correct: undefined },
  })
}

t.test('passes when only the runs on the killed pod fail', async (t) => {
  const history = historyOf(pods, aFailedRun({}), aRun({ id: '2', pod: 'pod-b' }))
  t.match(runChecker(blastRadius, history, context), {
    outcome: 'pass',
    examined: 2,
    reason: '2 runs, 1 with a step on pod-a, 1 failed',
  })
})

t.test('fails when a run on another pod fails', async (t) => {
  const history = historyOf(pods, aFailedRun({}), aFailedRun({ id: '2', pod: 'pod-b' }))
  t.match(runChecker(blastRadius, history, context), {
    outcome: 'fail',
    examples: ['run r2: failed, with no step on a killed pod'],
  })
})

t.test('a step that had ended before the kill excuses nothing', async (t) => {
  const early = { ...context, kills: [{ ...context.kills[0], at: 1_500, goneAt: 1_600 }] } as const
  const failed = changed(aRun({ id: '2' }), 'run.ended', { at: 1_700, status: 'failed' })
  t.equal(runChecker(blastRadius, historyOf(pods, failed), early).outcome, 'fail')
})

t.test(
  'a call that no pod has read is excused when it was sent before the pod was gone, not after',
  async (t) => {
    const unread = (at: number) =>
      historyOf(pods, aFailedRun({}), without(aFailedRun({ id: '2', at }), 'execute.received'))
    t.equal(runChecker(blastRadius, unread(1_100), context).outcome, 'pass')
    t.equal(runChecker(blastRadius, unread(1_300), context).outcome, 'fail')
  },
)

t.test('fails when a failure comes late, without an error, or never', async (t) => {
  const rest = [...pods, ...aRun({ id: '2', pod: 'pod-b' })]
  t.match(runChecker(blastRadius, historyOf(rest, aFailedRun({}, 7_000_000)), context), {
    outcome: 'fail',
    examples: [/run r1: failed 6\.999 s after the kill of pod-a/],
  })
  t.match(runChecker(blastRadius, historyOf(rest, aFailedRun({}, 2_000, ' ')), context), {
    outcome: 'fail',
    examples: ['run r1 step s: failed without an error'],
  })
  const open = without(aFailedRun({}), 'step.result', 'run.ended')
  t.match(runChecker(blastRadius, historyOf(rest, open), context), {
    outcome: 'fail',
    examples: ['run r1: had a step on pod-a and never ended'],
  })
  t.equal(
    runChecker(blastRadius, historyOf(rest, open), { ...context, collectedAt: 9_000 }).outcome,
    'unknown',
  )
})

t.test('fails when another run has a wrong value or was not served', async (t) => {
  const wrong = changed(aRun({ id: '2', pod: 'pod-b' }), 'run.answered', { correct: false, got: '7' })
  t.equal(runChecker(blastRadius, historyOf(pods, aFailedRun({}), wrong), context).outcome, 'fail')
  const refused = changed(
    without(aRun({ id: '2', pod: 'pod-b' }), 'run.accepted', 'run.ended', 'step.result', 'call.sent'),
    'run.answered',
    { outcome: 'refused', runId: undefined, error: 'HTTP 503' },
  )
  t.match(runChecker(blastRadius, historyOf(pods, aFailedRun({}), refused), context), {
    outcome: 'fail',
    examples: [/q2: refused: HTTP 503/],
  })
})

t.test('excuses calls that were open at the kill of a balancer, and runs of a killed runtime', async (t) => {
  const balancer = { ...context, kills: [{ ...context.kills[0], pod: 'lb', role: 'balancer' }] } as const
  t.equal(runChecker(blastRadius, historyOf(pods, aFailedRun({})), balancer).outcome, 'pass')
  const runtime = { ...context, kills: [{ ...context.kills[0], pod: 'runtime-1', role: 'runtime' }] } as const
  const lost = without(aRun(), 'step.result', 'run.ended', 'run.answered')
  t.equal(runChecker(blastRadius, historyOf(pods, lost), runtime).outcome, 'pass')
})

t.test('cannot tell without a kill, or when the kill hit no run', async (t) => {
  t.equal(runChecker(blastRadius, historyOf(pods, aRun())).outcome, 'unknown')
  const history = historyOf(pods, aRun({ id: '2', pod: 'pod-b' }))
  t.match(runChecker(blastRadius, history, context), {
    outcome: 'unknown',
    examples: ['no run had a step on a killed pod'],
  })
})
