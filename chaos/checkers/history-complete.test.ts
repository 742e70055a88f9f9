import t from 'tap'
import type { PodUsage, WitnessedRecord } from '../../contracts/history.ts'
import { runChecker } from './checker.ts'
import { historyComplete } from './history-complete.ts'
import { aProcess, aRun, historyOf, without, witnessed } from './sample-history.ts'

const usage = (at: number, count: number, fields: Partial<PodUsage> = {}): readonly WitnessedRecord[] =>
  witnessed('harness', 'pod-a', {
    ...{ at, kind: 'pod.usage', role: 'component-server', pod: 'pod-a', open: { 'calls open': 0 } },
    ...{ phase: at < 1_000 ? 'before' : 'after', counted: { 'execute.answered': count }, ...fields },
  })

t.test('passes when records and counts agree', async (t) => {
  const history = historyOf(usage(500, 7), aRun(), aRun({ id: '2' }), usage(9_000, 9))
  t.match(runChecker(historyComplete, history), { outcome: 'pass', examined: 2 })
})

t.test('fails when a record is missing, or one too many', async (t) => {
  const lost = without(aRun({ id: '2' }), 'execute.answered')
  t.match(runChecker(historyComplete, historyOf(usage(500, 7), aRun(), lost, usage(9_000, 9))), {
    outcome: 'fail',
    examples: ['pod-a: counted 2 times execute.answered, the history has 1'],
  })
  t.equal(runChecker(historyComplete, historyOf(usage(500, 7), aRun(), usage(9_000, 7))).outcome, 'fail')
})

t.test('cannot compare a pod that was busy, came later or began anew', async (t) => {
  const busy = usage(9_000, 9, { open: { 'calls open': 1 } })
  t.equal(runChecker(historyComplete, historyOf(usage(500, 7), aRun(), busy)).outcome, 'unknown')
  t.equal(runChecker(historyComplete, historyOf(aRun(), usage(9_000, 9))).outcome, 'unknown')
  const anew = historyOf(usage(500, 7), aProcess('pod-a', 800), aRun(), usage(9_000, 1))
  t.equal(runChecker(historyComplete, anew).outcome, 'unknown')
})
