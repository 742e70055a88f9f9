import t from 'tap'
import type { PodUsage, WitnessedRecord } from '../../contracts/history.ts'
import { runChecker } from './checker.ts'
import { aRun, historyOf, witnessed } from './sample-history.ts'
import { trendsFlat } from './trends-flat.ts'

const MiB = 2 ** 20

/** A reading each second for 100 s. */
const readings = (figures: (second: number) => Partial<PodUsage>): readonly WitnessedRecord[] =>
  Array.from({ length: 100 }, (_, second) =>
    witnessed('harness', 'pod-a', {
      ...{ at: second * 1e6, kind: 'pod.usage', role: 'component-server', pod: 'pod-a', phase: 'during' },
      ...{ open: {}, ...figures(second) },
    }),
  ).flat()

/** A run each half second, answered `ms` later. */
const runs = (ms: (second: number) => number): readonly WitnessedRecord[] =>
  Array.from({ length: 200 }, (_, index) =>
    aRun({ id: String(index), at: 1 + index * 500_000 }).map((record) =>
      record.kind === 'run.answered'
        ? { ...record, at: 1 + index * 500_000 + Math.round(ms(index / 2) * 1000) }
        : record,
    ),
  ).flat()

/** A collector's saw: up by 40 MiB, then down. */
const saw = (second: number): number => (60 + (second % 9) * 5) * MiB

t.test('passes when memory goes up and down and latency stays', async (t) => {
  const history = historyOf(
    readings((s) => ({ heapBytes: saw(s), timers: 5, files: 30 + (s % 4) })),
    runs(() => 4),
  )
  t.match(runChecker(trendsFlat, history), {
    outcome: 'pass',
    examined: 4,
    reason: /4 trends; the steepest: /,
  })
})

t.test('growth while it warms up does not count', async (t) => {
  const history = historyOf(
    readings((s) => ({ heapBytes: Math.min(s, 24) * 10 * MiB })),
    runs(() => 4),
  )
  t.equal(runChecker(trendsFlat, history).outcome, 'pass')
})

t.test('fails when memory, timers or files climb beneath the noise', async (t) => {
  for (const figures of [
    (s: number) => ({ heapBytes: saw(s) + s * MiB }),
    (s: number) => ({ timers: 5 + s }),
    (s: number) => ({ files: 20 + s }),
  ]) {
    t.match(
      runChecker(
        trendsFlat,
        historyOf(
          readings(figures),
          runs(() => 4),
        ),
      ),
      {
        outcome: 'fail',
        examples: [/^pod-a (heapBytes|timers|files): by /],
      },
    )
  }
})

t.test('fails when answers take longer and longer, unless others came to use the machine', async (t) => {
  const history = historyOf(
    readings(() => ({ timers: 5 })),
    runs((s) => 4 + s / 2),
  )
  t.match(runChecker(trendsFlat, history), { outcome: 'fail', examples: [/^latency of w: by /] })
  const othersShare = (from: number) => (from > 50e6 ? 0.4 : 0)
  t.equal(runChecker(trendsFlat, history, { othersShare }).outcome, 'unknown')
})

t.test('a process started anew begins anew', async (t) => {
  const anew = [...readings((s) => ({ heapBytes: (s < 60 ? s : s - 60) * MiB }))]
  const starts = [0, 60].flatMap((second) =>
    witnessed('component-server', 'pod-a', {
      ...{ at: second * 1e6, kind: 'process.started', witness: 'component-server', pod: 'pod-a' },
      ...{ pid: second, wallMs: 0 },
    }),
  )
  t.match(runChecker(trendsFlat, historyOf(starts, anew)).reason, /pod-a( \(2\))? heapBytes/)
})

t.test('cannot tell without readings, or of a few', async (t) => {
  t.equal(runChecker(trendsFlat, historyOf(runs(() => 4))).outcome, 'unknown')
  t.equal(runChecker(trendsFlat, historyOf(readings(() => ({ timers: 5 })).slice(0, 10))).outcome, 'unknown')
})
