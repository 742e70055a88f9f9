import t from 'tap'
import { runChecker } from './checker.ts'
import { aRun, changed, historyOf, only, without } from './sample-history.ts'
import { streamsEnd } from './streams-end.ts'

const late = { collectedAt: 20_000_000 }
const kills = [{ pod: 'pod-a', role: 'component-server', at: 1_060 }] as const
const failed = (fields = {}) =>
  changed(without(aRun(), 'execute.answered'), 'step.result', {
    ...{ outcome: 'failed', error: 'pod-a is gone', at: 2_000, ...fields },
  })

t.test('passes streams that end complete or with a clear error', async (t) => {
  t.match(runChecker(streamsEnd, historyOf(aRun(), aRun({ id: '2' })), late), {
    outcome: 'pass',
    examined: 2,
  })
  t.match(runChecker(streamsEnd, historyOf(failed()), { ...late, kills }), {
    outcome: 'pass',
    reason: '1 streams: 0 complete, 1 failed clearly',
  })
})

t.test('fails when a failure has no error', async (t) => {
  for (const error of [undefined, '', ' ']) {
    t.match(runChecker(streamsEnd, historyOf(failed({ error })), late), {
      outcome: 'fail',
      examples: ['call c1: failed without an error'],
    })
  }
})

t.test('fails when a killed pod shows late', async (t) => {
  const history = historyOf(failed({ at: 5_001_061 }))
  t.match(runChecker(streamsEnd, history, { ...late, kills }), {
    outcome: 'fail',
    examples: ['call c1: ended 5.000 s after the kill of its pod pod-a'],
  })
  t.equal(
    runChecker(streamsEnd, history, late).outcome,
    'pass',
    'a step may take long where nobody is killed',
  )
})

t.test('fails when a result was made up or cut short', async (t) => {
  const cut = without(aRun(), 'execute.answered')
  const text = 'call c1: recorded as a success, which no pod answered'
  t.match(runChecker(streamsEnd, historyOf(cut), late), { outcome: 'fail', examples: [text] })
  const aborted = changed(aRun(), 'execute.answered', { outcome: 'aborted' })
  t.match(runChecker(streamsEnd, historyOf(aborted), late), { outcome: 'fail', examples: [text] })
})

t.test('fails when a stream ends in nothing, and waits for the deadline with that', async (t) => {
  const open = historyOf(without(aRun(), 'step.result', 'run.ended'))
  t.match(runChecker(streamsEnd, open, late), {
    outcome: 'fail',
    examples: ['call c1: its stream has neither result nor error'],
  })
  t.equal(runChecker(streamsEnd, open, { collectedAt: 5_000_900 }).outcome, 'unknown')
})

t.test('needs no result of an attempt that was superseded or ended with its run', async (t) => {
  const first = without(aRun(), 'step.result', 'run.ended')
  const second = changed(
    changed(
      only(aRun({ at: 2_000 }), 'call.sent', 'execute.received', 'execute.answered', 'step.result'),
      'call.sent',
      {
        attempt: 2,
      },
    ),
    'step.result',
    { attempt: 2 },
  ).map((record) => ('requestId' in record ? { ...record, requestId: 'c1-2' } : record))
  t.match(runChecker(streamsEnd, historyOf(first, second), late), { outcome: 'pass', examined: 2 })
  const cancelled = changed(without(aRun(), 'step.result'), 'run.ended', { status: 'cancelled' })
  t.equal(runChecker(streamsEnd, historyOf(cancelled), late).outcome, 'pass')
})

t.test('cannot tell without streams', async (t) => {
  const direct = changed(changed(aRun(), 'call.answered', { stream: false }), 'execute.received', {
    stream: false,
  })
  t.match(runChecker(streamsEnd, historyOf(direct), late), { outcome: 'unknown', examined: 0 })
})
