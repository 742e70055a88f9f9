import t from 'tap'
import type { PodUsage, WitnessedRecord } from '../../contracts/history.ts'
import { runChecker } from './checker.ts'
import { nothingLeaked } from './nothing-leaked.ts'
import { aRun, historyOf, witnessed } from './sample-history.ts'

const usage = (phase: PodUsage['phase'], figures: Partial<PodUsage> = {}): readonly WitnessedRecord[] =>
  witnessed('harness', 'pod-a', {
    ...{
      at: phase === 'before' ? 0 : 9_000,
      kind: 'pod.usage',
      role: 'component-server',
      pod: 'pod-a',
      phase,
    },
    ...{ open: { 'calls open': 0 }, timers: 5, files: 20, ...figures },
  })
const of = (figures: Partial<PodUsage>) =>
  runChecker(nothingLeaked, historyOf(usage('before'), aRun(), usage('after', figures)))

t.test('passes when pods are as they were, but for what a pool keeps', async (t) => {
  t.match(of({ files: 22 }), {
    outcome: 'pass',
    examined: 1,
    reason: /at most 2 more files.*1 calls at once/,
  })
})

t.test('fails when work stays in hand', async (t) => {
  t.match(of({ open: { 'calls open': 1 } }), {
    outcome: 'fail',
    examples: ['pod-a: 1 calls open with nothing under way'],
  })
})

t.test('cannot tell what an interruption, or a machine that others had, kept in hand', async (t) => {
  const history = historyOf(usage('before'), aRun(), usage('after', { open: { 'calls open': 1 } }))
  t.equal(runChecker(nothingLeaked, history, { interrupted: true }).outcome, 'unknown')
  t.equal(runChecker(nothingLeaked, history, { othersShare: () => 0.7 }).outcome, 'unknown')
  t.equal(runChecker(nothingLeaked, history, { othersShare: () => 0.5 }).outcome, 'fail')
})

t.test('a count that wrapped is not zero either', async (t) => {
  t.equal(of({ open: { 'calls open': -1 } }).outcome, 'fail')
  const history = historyOf(usage('before'), aRun(), usage('after', { open: { 'calls open': -1 } }))
  const busy = { interrupted: true, othersShare: () => 0.9 }
  t.equal(runChecker(nothingLeaked, history, busy).outcome, 'fail', 'on any machine')
})

t.test('fails when timers or sockets pile up', async (t) => {
  t.match(of({ timers: 500 }), { outcome: 'fail', examples: [/timers from 5 to 500, at most 41 more/] })
  t.match(of({ files: 500 }), { outcome: 'fail', examples: [/files from 20 to 500/] })
})

t.test('a pod that came later is compared with its peers', async (t) => {
  const late = usage('after', { timers: 500 }).map((record) => ({ ...record, pod: 'pod-b' }))
  t.equal(runChecker(nothingLeaked, historyOf(usage('before'), aRun(), late)).outcome, 'fail')
})

t.test('cannot tell when nobody looked', async (t) => {
  t.equal(runChecker(nothingLeaked, historyOf(usage('before'), aRun())).outcome, 'unknown')
})
