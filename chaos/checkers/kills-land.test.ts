import t from 'tap'
import { runChecker } from './checker.ts'
import { killsLand } from './kills-land.ts'
import { aProcess, aRun, historyOf } from './sample-history.ts'

const context = {
  kills: [{ pod: 'pod-a', role: 'component-server', at: 1_000_000, goneAt: 1_010_000 }],
} as const

t.test('passes when the killed process is silent', async (t) => {
  const history = historyOf(
    aProcess('pod-a'),
    aRun({ at: 900_000 }),
    aRun({ id: '2', pod: 'pod-b', at: 2e6 }),
  )
  t.match(runChecker(killsLand, history, context), { outcome: 'pass', examined: 1 })
})

t.test('fails when it goes on', async (t) => {
  const history = historyOf(aProcess('pod-a'), aRun({ at: 2_000_000 }))
  t.match(runChecker(killsLand, history, context), {
    outcome: 'fail',
    examples: [/pod-a: said to be dead, and has 4 records until 0\.990 s after that/],
  })
})

t.test('its successor in the same pod may speak', async (t) => {
  const history = historyOf(aProcess('pod-a'), aProcess('pod-a', 1_500_000, '2'), aRun({ at: 2_000_000 }))
  t.equal(runChecker(killsLand, history, context).outcome, 'pass')
})

t.test('cannot tell when nobody was killed', async (t) => {
  t.equal(runChecker(killsLand, historyOf(aRun())).outcome, 'unknown')
})
