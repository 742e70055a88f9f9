// Tests of the time axis: what stands where, and what is put together.

import t from 'tap'
import type { ScenarioResult } from '../../../contracts/results.ts'
import { randomOf, sampleLoad, sampleResults } from '../../testing/sample.ts'
import { formatSecond, grained, grainFor, grainWords, shortNames, timelineOf } from './timeline.ts'

const start = 5_000_000_000
const at = (seconds: number): number => start + seconds * 1e6
const empty: ScenarioResult = {
  ...sampleResults('pass').scenarios[0]!,
  startedAt: start,
  endedAt: at(10),
  loads: [],
  events: [],
  pods: [],
}

t.test('windows last until the next begins', async (t) => {
  const window = (seconds: number, name: string) => ({
    at: at(seconds),
    kind: 'window' as const,
    scenario: 'x',
    window: name,
  })
  const { windows } = timelineOf({
    ...empty,
    events: [window(4, 'fault'), window(0, 'control'), window(7.5, 'recovery')],
  })
  t.strictSame(windows, [
    { name: 'control', from: 0, to: 4 },
    { name: 'fault', from: 4, to: 7.5 },
    { name: 'recovery', from: 7.5, to: 10 },
  ])
})

t.test('phases of a fault become one bar, also of two faults of one name at once', async (t) => {
  const chaos = (seconds: number, phase: 'requested' | 'observed' | 'cleared', pod?: string) => ({
    at: at(seconds),
    kind: 'chaos' as const,
    name: 'kill',
    phase,
    ...(pod === undefined ? {} : { pod }),
  })
  const { faults } = timelineOf({
    ...empty,
    events: [
      chaos(1, 'requested', 'a'),
      chaos(2, 'requested', 'b'),
      chaos(3, 'observed', 'a'),
      chaos(4, 'observed', 'b'),
      chaos(5, 'cleared', 'b'),
      chaos(8, 'requested', 'a'),
    ],
  })
  t.match(faults, [
    { number: 1, pod: 'a', requested: 1, observed: 3, cleared: null },
    { number: 2, pod: 'b', requested: 2, observed: 4, cleared: 5 },
    { number: 3, pod: 'a', requested: 8, observed: null, cleared: null },
  ])
})

t.test(
  'a phase that names no pod belongs to the last fault of its name; one without a request stands alone',
  async (t) => {
    const events = [
      { at: at(1), kind: 'chaos', name: 'kill', phase: 'requested', pod: 'a' },
      { at: at(2), kind: 'chaos', name: 'kill', phase: 'cleared' },
      { at: at(3), kind: 'chaos', name: 'dns', phase: 'observed', detail: 'empty answers' },
    ] as const
    t.match(timelineOf({ ...empty, events: [...events] }).faults, [
      { name: 'kill', requested: 1, cleared: 2 },
      { name: 'dns', requested: 3, observed: 3, detail: 'empty answers' },
    ])
  },
)

t.test(
  'loads of one name become one line in the order of time, each point in the middle of its second',
  async (t) => {
    const load = (seconds: number) =>
      sampleLoad(
        { workload: 'w', startedAt: at(seconds), seconds: 2, rateRps: () => 10, typicalMs: 1 },
        randomOf(1),
      )
    const { loads } = timelineOf({
      ...empty,
      loads: [
        { name: 'direct', load: load(4) },
        { name: 'through', load: load(2) },
        { name: 'direct', load: load(0) },
      ],
    })
    t.strictSame(
      loads.map(({ name, points }) => [name, points.map(({ x }) => x)]),
      [
        ['direct', [0.5, 1.5, 4.5, 5.5]],
        ['through', [2.5, 3.5]],
      ],
    )
  },
)

t.test('the last second of a load counts for as long as it lasted', async (t) => {
  const load = sampleLoad(
    { workload: 'w', startedAt: at(0), seconds: 3, rateRps: () => 10, typicalMs: 1 },
    randomOf(1),
  )
  const short = { ...load, profile: { kind: 'constant', rateRps: 10, durationMs: 2_500 } as const }
  const [line] = timelineOf({ ...empty, loads: [{ name: 'a', load: short }] }).loads
  t.strictSame(
    line?.points.map(({ width }) => width),
    [1, 1, 0.5],
  )
})

t.test('pods stand by role, without those gone before the start and without a cut second', async (t) => {
  const pod = (name: string, role: 'runtime' | 'component-server', more = {}) => ({
    pod: name,
    role,
    calls: 5,
    callsPerSecond: [1, 2, 2],
    readyFrom: at(0),
    readyUntil: null,
    ...more,
  })
  const { pods } = timelineOf({
    ...empty,
    endedAt: at(2.4),
    pods: [
      pod('r-1', 'runtime'),
      pod('c-1', 'component-server'),
      pod('c-2', 'component-server', { calls: 0, readyUntil: at(-3) }),
      pod('c-3', 'component-server', { readyUntil: at(1) }),
    ],
  })
  t.match(pods, [
    { pod: 'c-1', short: '1', points: [{ calls: 1 }, { calls: 2 }], highest: 2 },
    { pod: 'c-3', readyUntil: 1 },
    { pod: 'r-1', role: 'runtime' },
  ])
  t.equal(pods[0]?.points.length, 2)
})

t.test('the axis is as long as everything on it, and never empty', async (t) => {
  const event = { at: at(12), kind: 'window', scenario: 'x', window: 'late' } as const
  t.equal(timelineOf({ ...empty, events: [event] }).seconds, 12)
  t.ok(timelineOf({ ...empty, endedAt: start }).seconds > 0)
})

t.test('a coarser grain loses no second that stands out', async (t) => {
  const load = sampleLoad(
    {
      workload: 'w',
      startedAt: start,
      seconds: 3_600,
      rateRps: () => 4,
      typicalMs: 2,
      failing: (second) => (second === 1_234 ? 3 : 0),
    },
    randomOf(1),
  )
  const slow = {
    ...load,
    seconds: load.seconds.map((second) => (second.second === 77 ? { ...second, p99Ms: 9_999 } : second)),
  }
  const fine = timelineOf({ ...empty, endedAt: at(3_600), loads: [{ name: 'soak', load: slow }] })
  const grain = grainFor(fine.seconds)
  t.equal(grain, 10)
  const [line] = grained(fine, grain).loads
  t.equal(line?.points.length, 360)
  t.equal(Math.max(...line!.points.map(({ p99Ms }) => p99Ms ?? 0)), 9_999)
  t.equal(Math.max(...line!.points.map(({ failed }) => failed)), 3)
  t.equal(line?.points[0]?.planned, 4, 'rates stay rates')
  t.equal(line?.points[0]?.x, 5)
  t.match(grainWords(grain), /One point stands for 10 s/)
  t.equal(grained(fine, 1), fine)
  t.equal(grainWords(1), '')
})

t.test('short names are the ends of names where those tell them apart', async (t) => {
  t.strictSame(shortNames(['server-a1-x2', 'server-a1-y3']), ['x2', 'y3'])
  t.strictSame(shortNames(['lb-x2', 'server-x2']), ['lb-x2', 'server-x2'])
  t.strictSame(shortNames(['ends-', 'b']), ['ends-', 'b'])
})

t.test('times are written as long as the axis asks for', async (t) => {
  t.equal(formatSecond(4.217, 12), '4.22 s')
  t.equal(formatSecond(725, 3_600), '12:05')
  t.equal(formatSecond(3_725, 7_200), '1:02:05')
})
