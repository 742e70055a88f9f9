import t from 'tap'
import { runChecker } from './checker.ts'
import { inFlightReturns } from './in-flight-returns.ts'
import { aRun, changed, historyOf, without } from './sample-history.ts'

const late = { collectedAt: 10_000_000 }

t.test('passes when the count follows the runs back to zero', async (t) => {
  const second = changed(
    changed(aRun({ id: '2', at: 1_005 }), 'run.accepted', { inFlight: 2 }),
    'run.ended',
    {
      inFlight: 0,
    },
  )
  const first = changed(aRun(), 'run.ended', { inFlight: 1 })
  t.match(runChecker(inFlightReturns, historyOf(first, second), late), {
    outcome: 'pass',
    reason: '4 changes, at most 2 in flight',
  })
})

t.test('fails when the count skips, wraps or does not return', async (t) => {
  const skipped = changed(aRun({ id: '2', at: 2_000 }), 'run.accepted', { inFlight: 2 })
  t.match(runChecker(inFlightReturns, historyOf(aRun(), skipped), late), {
    outcome: 'fail',
    examples: ['runtime-1: from 0 to 2 in flight by run.accepted of r2', /from 2 to 0/],
  })
  for (const inFlight of [-1, Number.NaN]) {
    t.equal(
      runChecker(inFlightReturns, historyOf(changed(aRun(), 'run.ended', { inFlight })), late).outcome,
      'fail',
    )
  }
  const open = historyOf(without(aRun(), 'run.ended'))
  t.match(runChecker(inFlightReturns, open, late), {
    outcome: 'fail',
    examples: ['runtime-1: 1 in flight at the end'],
  })
  t.equal(runChecker(inFlightReturns, open, { collectedAt: 2_000 }).outcome, 'unknown')
})

t.test('a killed runtime takes its runs along', async (t) => {
  const kills = [{ pod: 'runtime-1', role: 'runtime', at: 1_050 }] as const
  t.equal(
    runChecker(inFlightReturns, historyOf(without(aRun(), 'run.ended')), { ...late, kills }).outcome,
    'pass',
  )
})

t.test('cannot tell without runs', async (t) => {
  t.equal(runChecker(inFlightReturns, []).outcome, 'unknown')
})
