import t from 'tap'
import type { WitnessedRecord } from '../../contracts/history.ts'
import { runChecker } from './checker.ts'
import { goodputReturns } from './goodput-returns.ts'
import { aRun, changed, historyOf, witnessed } from './sample-history.ts'

const window = (at: number, name: string): readonly WitnessedRecord[] =>
  witnessed('harness', 'harness', { at, kind: 'window', scenario: 's', window: name })

/** Runs a hundredth of a second apart; `spoil` makes them late or failed. */
const runs = (
  tag: string,
  from: number,
  spoil: (run: readonly WitnessedRecord[]) => readonly WitnessedRecord[] = (run) => run,
): readonly WitnessedRecord[] =>
  Array.from({ length: 30 }, (_, index) =>
    spoil(aRun({ id: `${tag}${index}`, at: from + index * 10_000 })),
  ).flat()
const late = (run: readonly WitnessedRecord[]) =>
  run.map((record) => (record.kind === 'run.answered' ? { ...record, at: record.at + 1_500_000 } : record))
const failed = (run: readonly WitnessedRecord[]) => changed(run, 'run.answered', { outcome: 'failed' })

const trial = (recovery: readonly WitnessedRecord[], fault: readonly WitnessedRecord[] = []) =>
  historyOf(
    window(0, 'control'),
    runs('a', 1_000),
    window(1_000_000, 'fault'),
    fault,
    window(2_000_000, 'recovery'),
    recovery,
    window(3_000_000, 'settle'),
  )

t.test('passes when arrivals after the fault fare as those before it, whatever came between', async (t) => {
  t.match(runChecker(goodputReturns, trial(runs('c', 2_001_000), runs('b', 1_001_000, failed))), {
    outcome: 'pass',
    examined: 30,
    reason: 'good within 1000 ms: 100.0 % of 30 before the fault, 100.0 % of 30 after it',
  })
})

t.test('fails when the system stays slow or failing', async (t) => {
  for (const spoil of [late, failed]) {
    t.match(runChecker(goodputReturns, trial(runs('c', 2_001_000, spoil))), {
      outcome: 'fail',
      examples: ['0.0 % good after the fault, 100.0 % before it'],
    })
  }
})

t.test('does not blame the system where others had the machine', async (t) => {
  const context = { othersShare: () => 0.5 }
  t.match(runChecker(goodputReturns, trial(runs('c', 2_001_000, late)), context), {
    outcome: 'unknown',
    examples: [/others took 50.0 % of the machine/],
  })
})

t.test('arrivals before the healing do not count', async (t) => {
  const history = trial([...runs('c', 2_001_000, failed), ...runs('d', 2_500_000)])
  t.equal(runChecker(goodputReturns, history, { healedAt: 2_450_000 }).outcome, 'pass')
})

t.test('cannot tell without windows, or by a handful of arrivals', async (t) => {
  t.equal(runChecker(goodputReturns, historyOf(runs('a', 1_000))).outcome, 'unknown')
  t.equal(runChecker(goodputReturns, trial(aRun({ at: 2_001_000 }))).outcome, 'unknown')
})
