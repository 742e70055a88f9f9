// What the charts of a timeline show, as plain data: lines, units, scales. No browser needed.

import { formatNumber } from '../../words.ts'
import { formatSecond, type LoadPoint, type PodLine, type Timeline } from './timeline.ts'

export interface ChartLine {
  readonly label: string
  /** `0` to `5` from the palette, or a colour with a meaning. */
  readonly colour: number | 'fail' | 'plan'
  readonly shape: 'line' | 'steps' | 'bars'
  readonly dashed: boolean
  readonly filled: boolean
  readonly x: readonly number[]
  /** Null: the line breaks. */
  readonly y: readonly (number | null)[]
}

export interface Chart {
  readonly id: string
  readonly title: string
  /** What the figures mean, in one sentence. */
  readonly note: string
  readonly unit: string
  readonly lines: readonly ChartLine[]
  /** A line across. */
  readonly target: number | null
  /** Decades rather than equal steps: typical and extreme values are too far apart for one linear axis. */
  readonly log: boolean
  /** Seconds that one point stands for. */
  readonly grain: number
}

/** How many colours the palette has. */
const paletteSize = 6
/** The smallest ratio of a chart's highest to its lowest value that takes a logarithmic axis. */
const logFrom = 30
/** Seconds below which there is no chart. */
const shortest = 3
/** Seconds without a value that break a line. */
const gapSeconds = 3

/** Whether it lasted long enough for a chart: a line takes a few seconds. */
export function isCharted({ seconds }: Timeline): boolean {
  return seconds >= shortest
}

/** Latency, requests a second, open runs, and the scenario's own series. Charts without a figure are left out. */
export function chartsOf(timeline: Timeline): readonly Chart[] {
  if (!isCharted(timeline)) return []
  const charts = [latencyChart(timeline), rateChart(timeline), openChart(timeline), ...seriesCharts(timeline)]
  return charts.filter((chart) => chart.lines.some((line) => line.y.some((value) => value !== null)))
}

/** Calls a second of one pod. */
export function podChart(pod: PodLine, index: number, grain = 1): Chart {
  return {
    id: `pod-${index}`,
    title: pod.pod,
    note: 'Calls by the pod’s own count.',
    unit: 'calls/s',
    log: false,
    grain,
    target: null,
    lines: [
      {
        label: 'calls',
        colour: pod.role === 'component-server' ? 0 : pod.role === 'balancer' ? 2 : 3,
        shape: 'steps',
        dashed: false,
        filled: true,
        x: pod.points.map(({ x }) => x),
        y: pod.points.map(({ calls }) => calls),
      },
    ],
  }
}

function latencyChart({ loads, grain }: Timeline): Chart {
  const single = loads.length === 1
  const lines = loads.flatMap(({ name, points }, index) => [
    line(single ? 'p50' : `p50 ${name}`, single ? 0 : index, { points, grain }, (point) => point.p50Ms, {
      dashed: !single,
      filled: single,
    }),
    line(single ? 'p99' : `p99 ${name}`, single ? 1 : index, { points, grain }, (point) => point.p99Ms),
  ])
  const values = lines.flatMap(({ y }) => y.filter((value) => value !== null && value > 0)) as number[]
  return {
    id: 'latency',
    title: 'Latency',
    note: 'From the planned start of a run to the last byte of its answer: a run that had to wait to be sent counts as slow.',
    unit: 'ms',
    lines,
    target: null,
    grain,
    log: values.length > 0 && highest(values) / lowest(values) >= logFrom,
  }
}

function rateChart({ loads, grain }: Timeline): Chart {
  const single = loads.length === 1
  const lines = loads.flatMap(({ name, points }, index) => [
    line('planned', 'plan', { points, grain }, (point) => point.planned / point.width, {
      shape: 'steps',
      dashed: true,
    }),
    line(
      single ? 'completed' : `completed ${name}`,
      single ? 0 : index,
      { points, grain },
      (point) => point.completed / point.width,
      {
        shape: 'steps',
        filled: true,
      },
    ),
    line('failed', 'fail', { points, grain }, (point) => point.failed / point.width, { shape: 'bars' }),
  ])
  return {
    id: 'rate',
    title: 'Runs a second',
    note: 'By the second of their planned start.',
    unit: 'runs/s',
    // A load with nothing planned (closed model) or nothing failed has no such line.
    lines: lines.filter((one) => typeof one.colour === 'number' || one.y.some((value) => (value ?? 0) > 0)),
    target: null,
    grain,
    log: false,
  }
}

function openChart({ loads, grain }: Timeline): Chart {
  return {
    id: 'open',
    title: 'Open runs',
    note: 'Sent and not answered yet, as the load generator counts.',
    unit: 'runs',
    lines: loads.map(({ name, points }, index) =>
      line(
        loads.length === 1 ? 'open' : name,
        loads.length === 1 ? 3 : index,
        { points, grain },
        (point) => point.open,
        {
          filled: true,
        },
      ),
    ),
    target: null,
    grain,
    log: false,
  }
}

function seriesCharts({ series, grain }: Timeline): readonly Chart[] {
  return series.map((one, index) => ({
    id: `series-${index}`,
    title: one.name.slice(0, 1).toUpperCase() + one.name.slice(1),
    note: '',
    unit: one.unit,
    lines: [
      {
        label: one.unit,
        colour: 2,
        shape: 'line' as const,
        dashed: false,
        filled: true,
        x: one.points.map(({ x }) => x),
        y: one.points.map(({ value }) => value),
      },
    ],
    target: one.target,
    grain,
    log: false,
  }))
}

function line(
  label: string,
  colour: ChartLine['colour'],
  { points, grain }: { readonly points: readonly LoadPoint[]; readonly grain: number },
  value: (point: LoadPoint) => number | null,
  more: Partial<Pick<ChartLine, 'shape' | 'dashed' | 'filled'>> = {},
): ChartLine {
  const x: number[] = []
  const y: (number | null)[] = []
  for (const point of points) {
    const before = x.at(-1)
    if (before !== undefined && point.x - before > gapSeconds * grain) {
      x.push((before + point.x) / 2)
      y.push(null)
    }
    x.push(point.x)
    y.push(value(point))
  }
  const index = typeof colour === 'number' ? colour % paletteSize : colour
  return { label, colour: index, shape: 'line', dashed: false, filled: false, ...more, x, y }
}

/** The chart in one sentence, for those who do not see it. */
export function describeChart(chart: Chart, seconds: number): string {
  const parts = chart.lines.map(({ label, x, y }) => {
    const values = y.filter((value) => value !== null)
    if (values.length === 0) return `${label}: no figure`
    const top = highest(values)
    const at = x[y.indexOf(top)] ?? 0
    return `${label} from ${formatNumber(lowest(values))} to ${formatNumber(top)} ${chart.unit}, highest at ${formatSecond(at, seconds)}`
  })
  return `${chart.title} over ${formatSecond(seconds, seconds)}. ${parts.join('; ')}.`
}

/** Not Math.max(...values): an hour of seconds times many loads does not fit into arguments. */
function highest(values: readonly number[]): number {
  return values.reduce((best, value) => Math.max(best, value), Number.NEGATIVE_INFINITY)
}

function lowest(values: readonly number[]): number {
  return values.reduce((best, value) => Math.min(best, value), Number.POSITIVE_INFINITY)
}
