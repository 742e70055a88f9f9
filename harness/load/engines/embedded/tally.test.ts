import t from 'tap'
import { type Ending, Tally } from './tally.ts'

const start = 1_000_000
const ok: Ending = { outcome: 'completed', timedOut: false, correct: true, error: undefined }

t.test('counts by the second of the planned start', async (t) => {
  const tally = new Tally(start)
  for (const [planned, sent, end] of [
    [0, 100, 5_000],
    [900_000, 900_100, 1_400_000],
    [1_100_000, 1_100_050, 1_103_000],
  ] as const) {
    tally.sent(start + planned, start + sent)
    tally.tick(start + sent)
    tally.end(start + planned, start + end, ok)
    tally.tick(start + end)
  }
  const { seconds, latency, lag, offered, completed } = tally.result(start + 2_000_000)
  t.match({ offered, completed }, { offered: 3, completed: 3 })
  t.match(seconds, [
    { second: 0, planned: 2, offered: 2, completed: 2, failed: 0, p50Ms: 5, p99Ms: 500, lagMs: 0.1 },
    { second: 1, planned: 1, completed: 1, p50Ms: 3, lagMs: 0.05 },
  ])
  t.equal(latency.count, 3)
  t.ok(Math.abs((latency.p50Ms ?? 0) - 5) <= 0.005, 'three digits')
  t.equal(lag.maxMs, 0.1)
})

t.test('a second counts what is open at its end', async (t) => {
  const tally = new Tally(start)
  tally.sent(start, start)
  tally.sent(start + 10, start + 10)
  tally.tick(start + 1_000_001)
  tally.end(start, start + 1_500_000, ok)
  tally.tick(start + 2_000_001)
  tally.end(start + 10, start + 2_500_000, ok)
  t.same(
    tally.result(start + 3_000_000).seconds.map(({ open }) => open),
    [2, 1, 0],
  )
})

t.test('a stall of the generator spoils every second it reaches into', async (t) => {
  const tally = new Tally(start)
  tally.sent(start + 900_000, start + 2_100_000)
  const lags = tally.result(start + 3_000_000).seconds.map(({ lagMs }) => lagMs)
  t.same(lags, [1_200, 1_200, 1_200])
})

t.test('a drop is planned and not offered', async (t) => {
  const tally = new Tally(start)
  tally.drop(start)
  t.match(tally.result(start + 1_000_000), { offered: 0, dropped: 1, seconds: [{ planned: 1, offered: 0 }] })
})

t.test('waiting until the time-out is a latency, other failures are none', async (t) => {
  const tally = new Tally(start)
  const endings: readonly Ending[] = [
    { ...ok, outcome: 'unknown', timedOut: true, error: 'late' },
    { ...ok, outcome: 'unknown', error: 'broken' },
    { ...ok, outcome: 'refused', error: 'full' },
    { ...ok, outcome: 'failed', error: 'full' },
    { ...ok, correct: false },
  ]
  for (const ending of endings) {
    tally.sent(start, start)
    tally.end(start, start + 1_000, ending)
  }
  t.match(tally.result(start + 1_000_000), {
    ...{ completed: 1, failed: 1, refused: 1, unknown: 2, incorrect: 1, latency: { count: 2 } },
    seconds: [{ offered: 5, completed: 1, failed: 4 }],
    errors: [
      { text: 'full', count: 2 },
      { text: 'late', count: 1 },
      { text: 'broken', count: 1 },
    ],
  })
})

t.test('keeps nineteen error texts and counts the rest together', async (t) => {
  const tally = new Tally(start)
  for (let i = 0; i < 25; i++) {
    tally.sent(start, start)
    tally.end(start, start, { ...ok, outcome: 'failed', error: `error ${i}` })
  }
  const { errors } = tally.result(start + 1)
  t.equal(errors.length, 20)
  t.same(errors.at(-1), { text: 'other errors', count: 6 })
})

t.test('old seconds keep their percentiles', async (t) => {
  const tally = new Tally(start)
  tally.sent(start, start)
  tally.end(start, start + 7_000, ok)
  tally.tick(start + 60_000_000)
  const { seconds } = tally.result(start + 60_000_000)
  t.equal(seconds.length, 60)
  t.match(seconds[0], { p50Ms: 7, p99Ms: 7 })
})
