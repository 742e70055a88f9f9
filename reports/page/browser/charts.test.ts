// Tests of what the charts show.

import t from 'tap'
import type { ScenarioResult } from '../../../contracts/results.ts'
import { randomOf, sampleLoad, sampleResults } from '../../testing/sample.ts'
import { chartsOf, describeChart, podChart } from './charts.ts'
import { timelineOf } from './timeline.ts'

const [smoke, , throughput, overhead, kill] = sampleResults('pass').scenarios as readonly ScenarioResult[]

t.test('latency, runs a second and open runs; planned and failed only where there are any', async (t) => {
  const charts = chartsOf(timelineOf(kill!))
  t.strictSame(
    charts.map(({ id, lines }) => [id, lines.map(({ label }) => label)]),
    [
      ['latency', ['p50', 'p99']],
      ['rate', ['planned', 'completed', 'failed']],
      ['open', ['open']],
    ],
  )
  t.match(charts[0]?.note, /planned start/, 'says where latency is counted from')
})

t.test('lines of several loads carry their names, and a series its target', async (t) => {
  const charts = chartsOf(timelineOf(throughput!))
  t.strictSame(
    charts[0]?.lines.map(({ label }) => label),
    ['p50 fixed rate', 'p99 fixed rate', 'p50 concurrent', 'p99 concurrent'],
  )
  t.match(charts.at(-1), { id: 'series-0', unit: 'runs', target: 50 })
})

t.test('a logarithmic axis only where typical and extreme values are far apart', async (t) => {
  const log = (slow: number) => {
    const load = sampleLoad(
      {
        workload: 'w',
        startedAt: kill!.startedAt,
        seconds: 5,
        rateRps: () => 50,
        typicalMs: 2,
        slowdown: (at) => (at === 2 ? slow : 1),
      },
      randomOf(3),
    )
    return chartsOf(timelineOf({ ...kill!, loads: [{ name: 'a', load }] }))[0]?.log
  }
  t.equal(log(1), false)
  t.equal(log(500), true)
})

t.test('a line breaks where nothing was measured, but not between rounds', async (t) => {
  const load = (second: number) =>
    sampleLoad(
      {
        workload: 'w',
        startedAt: kill!.startedAt + second * 1e6,
        seconds: 2,
        rateRps: () => 5,
        typicalMs: 1,
      },
      randomOf(3),
    )
  const lines = (second: number) =>
    chartsOf(
      timelineOf({
        ...kill!,
        loads: [
          { name: 'a', load: load(0) },
          { name: 'a', load: load(second) },
        ],
      }),
    )[0]?.lines[0]?.y
  t.equal(lines(4)?.includes(null), false)
  t.equal(lines(9)?.includes(null), true)
})

t.test('a scenario of a second or two has no charts', async (t) => {
  t.strictSame(chartsOf(timelineOf(smoke!)), [])
  t.ok(chartsOf(timelineOf(overhead!)).length > 0)
})

t.test('a chart is also a sentence', async (t) => {
  const timeline = timelineOf(kill!)
  t.match(
    describeChart(chartsOf(timeline)[1]!, timeline.seconds),
    /^Runs a second over 10 s\. .*failed from 0 to 22 runs\/s, highest at 4\.7 s\.$/,
  )
  t.match(describeChart(podChart(timeline.pods[0]!, 0), timeline.seconds), /calls from \d+ to \d+ calls\/s/)
  const nothing = {
    ...podChart(timeline.pods[0]!, 0),
    lines: [{ ...podChart(timeline.pods[0]!, 0).lines[0]!, y: [] }],
  }
  t.match(describeChart(nothing, 10), /calls: no figure/)
})
