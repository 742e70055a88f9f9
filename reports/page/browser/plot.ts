// Draws one chart with uPlot.

import { formatNumber } from '../../words.ts'
import type { Chart, ChartLine } from './charts.ts'
import { paintBackground, paintEventLines, paintTags, paintTarget, tagHeight } from './marks.ts'
import { colourOf, type Palette } from './palette.ts'
import { columnsOf } from './plot-data.ts'
import { formatSecond, type Timeline } from './timeline.ts'
import { type Plot, type PlotData, type PlotOptions, type PlotSeries, plots } from './uplot.ts'

/** Room for the figures of the upright axis, CSS pixels: the same in all charts, so that times line up. */
export const axisWidth = 48
/** Room for half of the last time, CSS pixels. */
export const rightPadding = 22

export interface PlotSetup {
  readonly chart: Chart
  readonly timeline: Timeline
  /** Asked at each drawing, so that a change of theme shows. */
  readonly palette: () => Palette
  readonly width: number
  readonly height: number
  /** Charts of one key move their cursors together. */
  readonly syncKey: string
  /** Whether times stand below it. */
  readonly times: boolean
  /** Highest value of the upright axis; default: what the lines need. */
  readonly top?: number
  /** Painted below the lines, besides windows and faults. */
  readonly underneath?: (plot: Plot) => void
  readonly onCursor: (plot: Plot) => void
  readonly onZoom: (plot: Plot) => void
}

/** Steps of the time axis, seconds. */
const timeSteps = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
]
/** A line of no more points than this shows each as a dot. */
const dotsBelow = 40
const font = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

/** Draws `setup.chart` into `place`. */
export function drawPlot(setup: PlotSetup, place: HTMLElement): Plot {
  const { chart, timeline, palette } = setup
  const options: PlotOptions = {
    ...sharedOptions(setup),
    series: [{}, ...chart.lines.map((line) => seriesOf(line, setup)), { show: false }],
    scales: {
      x: { time: false },
      y: chart.log
        ? { distr: 3, range: (_plot, min, max) => logRange(min ?? 1, max ?? 10) }
        : {
            range: (_plot, _min, max) => [
              0,
              setup.top ?? (Math.max((max ?? 0) * 1.12, (chart.target ?? 0) * 1.25) || 1),
            ],
          },
    },
    axes: [timeAxis(setup), valueAxis(setup)],
    hooks: {
      drawClear: [
        (plot) => {
          setup.underneath?.(plot)
          paintBackground(plot, timeline, palette())
        },
      ],
      draw: [
        (plot) => {
          paintEventLines(plot, timeline, palette())
          if (hasTags(setup)) paintTags(plot, timeline, palette())
          if (chart.target !== null) paintTarget(plot, chart.target, palette())
        },
      ],
      ...hooksOf(setup),
    },
  }
  return new plots(options, dataOf(chart, timeline.seconds), place)
}

/** The columns of a chart, for a plot that was drawn with the same lines. */
export function dataOf(chart: Chart, seconds: number): PlotData {
  return plots.join(columnsOf(chart, seconds).map(([x, y]) => [x, y] as unknown as PlotData))
}

/** What charts and strip have in common. */
export function sharedOptions(
  setup: Pick<PlotSetup, 'width' | 'height' | 'syncKey'> & {
    readonly chart?: Chart
    readonly timeline: Timeline
    readonly times?: boolean
  },
): Pick<PlotOptions, 'width' | 'height' | 'legend' | 'cursor' | 'padding'> {
  return {
    width: setup.width,
    height: setup.height,
    legend: { show: false },
    padding: [hasTags(setup) ? tagHeight : 6, rightPadding, setup.times === false ? 7 : 0, 0],
    cursor: {
      y: false,
      sync: { key: setup.syncKey, scales: ['x', null] },
      drag: { x: true, y: false, dist: 6 },
      points: { show: false },
    },
  }
}

/** Cursor and zoom, told to the group of charts. */
export function hooksOf(setup: Pick<PlotSetup, 'onCursor' | 'onZoom'>): PlotOptions['hooks'] & object {
  return {
    setCursor: [(plot) => setup.onCursor(plot)],
    setScale: [
      (plot, scale) => {
        if (scale === 'x') setup.onZoom(plot)
      },
    ],
  }
}

/** Rows of pods are too low for tags: the lines of the faults go through them. */
function hasTags({ chart, timeline }: { readonly chart?: Chart; readonly timeline: Timeline }): boolean {
  return timeline.faults.length > 0 && chart !== undefined && !chart.id.startsWith('pod-')
}

function seriesOf(line: ChartLine, { palette }: PlotSetup): PlotSeries {
  const colour = (): string => colourOf(palette(), line.colour)
  const bars = line.shape === 'bars' ? plots.paths.bars?.({ size: [0.7, 28] }) : undefined
  const steps = line.shape === 'steps' ? plots.paths.stepped?.({ align: 1 }) : undefined
  const paths = bars ?? steps
  return {
    label: line.label,
    stroke: colour,
    width: line.shape === 'bars' ? 0 : line.dashed ? 1.25 : 1.75,
    ...(line.dashed ? { dash: [5, 4] } : {}),
    ...(line.shape === 'bars' ? { fill: colour } : line.filled ? { fill: () => `${colour()}26` } : {}),
    ...(paths === undefined ? {} : { paths }),
    spanGaps: false,
    points: {
      show: line.shape === 'line' && line.x.length <= dotsBelow,
      size: 5,
      stroke: colour,
      fill: colour,
    },
  }
}

function timeAxis({
  palette,
  timeline,
  times,
}: PlotSetup): PlotOptions['axes'] extends (infer Axis)[] | undefined ? Axis : never {
  return {
    stroke: () => palette().muted,
    grid: { stroke: () => palette().grid, width: 1 },
    ticks: { show: times, stroke: () => palette().grid, width: 1, size: 4 },
    font,
    incrs: timeSteps,
    space: 56,
    size: times ? 24 : 0,
    gap: 4,
    values: (_plot, splits) => splits.map((second) => (times ? formatSecond(second, timeline.seconds) : '')),
  }
}

function valueAxis({
  chart,
  palette,
  height,
}: PlotSetup): PlotOptions['axes'] extends (infer Axis)[] | undefined ? Axis : never {
  return {
    stroke: () => palette().muted,
    grid: { stroke: () => palette().grid, width: 1 },
    ticks: { show: false },
    font,
    size: axisWidth,
    gap: 6,
    space: Math.min(34, Math.max(16, height / 4)),
    ...(chart.log ? { splits: (_plot, _axis, min, max) => logSteps(min, max) } : {}),
    ...(isCount(chart) ? { incrs: logSteps(1, 1e9) } : {}),
    // uPlot's own filter keeps the decades only.
    filter: (_plot, splits) => splits,
    values: (_plot, splits) => splits.map(axisFigure),
  }
}

/** Whether it has whole numbers only: there is no half a pod on its axis either. */
function isCount({ lines }: Chart): boolean {
  return lines.every(({ y }) => y.every((value) => value === null || Number.isInteger(value)))
}

function axisFigure(value: number): string {
  return value >= 10_000 ? `${formatNumber(value / 1_000)}k` : formatNumber(value)
}

/** 1, 2 and 5 times powers of ten from the last not above `min` to the first not below `max`. */
function logSteps(min: number, max: number): number[] {
  const steps: number[] = []
  for (let power = Math.floor(Math.log10(min)); 10 ** power <= max * (1 + 1e-9); power += 1) {
    for (const digit of [1, 2, 5]) {
      const step = Number((digit * 10 ** power).toPrecision(1))
      if (step >= min * (1 - 1e-9) && step <= max * (1 + 1e-9)) steps.push(step)
    }
  }
  return steps
}

function logRange(min: number, max: number): [number, number] {
  const [low, high] = [Math.max(1e-3, min), Math.max(2e-3, max)]
  const steps = logSteps(low / 10, high * 10)
  return [steps.findLast((step) => step <= low) ?? low / 2, steps.find((step) => step >= high) ?? high * 2]
}
