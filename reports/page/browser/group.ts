// The charts of one scenario: drawn together, with one cursor and one zoom.

import { type Chart, chartsOf, podChart } from './charts.ts'
import { listenToKeys } from './keys.ts'
import { drawLegend, paintSamples, showValues, type ValuePlaces } from './legend.ts'
import { paintHatch, paintStrip, stripHeight } from './marks.ts'
import { type Palette, readPalette } from './palette.ts'
import { axisWidth, dataOf, drawPlot, hooksOf, type PlotSetup, rightPadding, sharedOptions } from './plot.ts'
import { grained, grainFor, grainWords, type PodLine, type Timeline } from './timeline.ts'
import { type Plot, plots } from './uplot.ts'

/** The charts of a scenario, for the page. */
export interface ChartGroup {
  /** Draws anew with the colours of now. */
  repaint(): void
  /** Fits all charts to `width` CSS pixels, or to their places. */
  resize(width?: number): void
}

interface Drawn {
  readonly plot: Plot
  readonly place: HTMLElement
  readonly height: (width: number) => number
  /** Absent: the strip, which has no lines. */
  readonly chart?: Chart
  readonly values?: ValuePlaces
}

/** Heights of the plots in CSS pixels, on a page that is wide or narrow. */
const heights = { latency: [220, 180], rate: [170, 150], other: [130, 120], pod: [50, 46] } as const
const narrowBelow = 600
/** Room for the times below a plot. */
const timesHeight = 24

/** Draws every chart of `timeline` into the places that `root` has for them. */
export function drawGroup(root: HTMLElement, timeline: Timeline, key: string): ChartGroup {
  let palette = readPalette()
  let drawn: readonly Drawn[] = []
  let shown = grained(timeline, grainFor(timeline.seconds))
  let zooming = false

  const onZoom = (source: Plot): void => {
    const { min, max } = source.scales['x'] ?? {}
    if (zooming || typeof min !== 'number' || typeof max !== 'number') return
    zooming = true
    const grain = grainFor(max - min)
    if (grain !== shown.grain) {
      shown = grained(timeline, grain)
      drawn = withTimeline(drawn, shown)
      const words = root.querySelector('.grain')
      if (words !== null) words.textContent = grainWords(grain)
    }
    for (const { plot } of drawn) plot.setScale('x', { min, max })
    zooming = false
  }
  const onCursor = (plot: Plot): void => {
    const { left } = plot.cursor
    point(left === undefined || left === null || left < 0 ? null : plot.posToVal(left, 'x'))
  }
  const point = (second: number | null): void => {
    for (const { chart, values } of drawn) {
      if (chart !== undefined && values !== undefined) showValues(chart, values, second)
    }
  }

  drawn = drawAll(root, shown, { palette: () => palette, syncKey: key, onCursor, onZoom })
  listenToKeys(root, timeline, {
    shown() {
      const { min, max } = drawn[0]?.plot.scales['x'] ?? {}
      return { min: min ?? 0, max: max ?? timeline.seconds }
    },
    zoom: (min, max) => drawn[0]?.plot.setScale('x', { min, max }),
    point(second) {
      for (const { plot } of drawn) plot.setCursor({ left: plot.valToPos(second, 'x'), top: 0 }, false)
      point(second)
    },
    charts: () => chartsOf(shown),
  })
  return {
    repaint() {
      palette = readPalette()
      for (const { plot } of drawn) plot.redraw()
      paintSamples(root, palette)
    },
    resize(width) {
      for (const { plot, place, height } of drawn) {
        const wide = width ?? place.clientWidth
        if (wide > 0) plot.setSize({ width: wide, height: height(wide) })
      }
    },
  }
}

type Shared = Pick<PlotSetup, 'palette' | 'syncKey' | 'onCursor' | 'onZoom'>

function drawAll(root: HTMLElement, timeline: Timeline, shared: Shared): readonly Drawn[] {
  const place = (name: string): HTMLElement[] => [
    ...root.querySelectorAll<HTMLElement>(`[data-chart="${name}"]`),
  ]
  const setup = { ...shared, timeline }
  return [
    ...place('strip').map((strip) => drawStrip(strip, setup)),
    ...chartsOf(timeline).flatMap((chart) =>
      place(chart.id).map((where) => drawChart(root, where, chart, setup)),
    ),
    ...timeline.pods.flatMap((pod, index) =>
      place(`pod-${index}`).map((where) => drawPod(root, where, pod, index, setup)),
    ),
  ]
}

type Setup = Shared & { readonly timeline: Timeline }

function drawStrip(place: HTMLElement, setup: Setup): Drawn {
  const { timeline } = setup
  const height = (width: number): number => stripHeight(timeline, width - axisWidth - rightPadding)
  const size = { width: place.clientWidth, height: height(place.clientWidth) }
  const plot = new plots(
    {
      ...sharedOptions({ ...setup, ...size }),
      padding: [0, rightPadding, 0, axisWidth],
      series: [{}],
      scales: { x: { time: false } },
      axes: [{ show: false }, { show: false }],
      hooks: { draw: [(one) => paintStrip(one, timeline, setup.palette())], ...hooksOf(setup) },
    },
    [[0, timeline.seconds]],
    place,
  )
  return { plot, place, height }
}

function drawChart(root: HTMLElement, place: HTMLElement, chart: Chart, setup: Setup): Drawn {
  const kind = chart.id === 'latency' || chart.id === 'rate' ? chart.id : 'other'
  const height = (width: number): number => heights[kind][width < narrowBelow ? 1 : 0]
  const width = place.clientWidth
  const plot = drawPlot({ ...setup, chart, width, height: height(width), times: true }, place)
  const legend = root.querySelector<HTMLElement>(`[data-legend="${chart.id}"]`)
  return {
    plot,
    place,
    height,
    chart,
    ...(legend === null ? {} : { values: drawLegend(legend, chart, setup.palette()) }),
  }
}

function drawPod(root: HTMLElement, place: HTMLElement, pod: PodLine, index: number, setup: Setup): Drawn {
  const { timeline } = setup
  const chart = podChart(pod, index, timeline.grain)
  // The last of a role stands above the next heading: it carries the times of the role's pods.
  const times = timeline.pods[index + 1]?.role !== pod.role
  const height = (width: number): number =>
    heights.pod[width < narrowBelow ? 1 : 0] + (times ? timesHeight : 0)
  const width = place.clientWidth
  const top = highestOfRole(timeline, pod)
  const underneath = (plot: Plot): void => hatchUnready(plot, pod, timeline.seconds, setup.palette())
  const plot = drawPlot({ ...setup, chart, width, height: height(width), times, top, underneath }, place)
  const now = root.querySelector<HTMLElement>(`[data-now="pod-${index}"]`)
  return { plot, place, height, chart, ...(now === null ? {} : { values: new Map([['calls', now]]) }) }
}

/** The same plots with the points of another grain. */
function withTimeline(drawn: readonly Drawn[], timeline: Timeline): readonly Drawn[] {
  const charts = new Map(
    [...chartsOf(timeline), ...timeline.pods.map((pod, index) => podChart(pod, index, timeline.grain))].map(
      (chart) => [chart.id, chart],
    ),
  )
  return drawn.map((one) => {
    const chart = one.chart === undefined ? undefined : charts.get(one.chart.id)
    if (chart === undefined) return one
    one.plot.setData(dataOf(chart, timeline.seconds), false)
    return { ...one, chart }
  })
}

/** Pods of a role share one scale, so that their heights compare. */
function highestOfRole({ pods }: Timeline, { role }: PodLine): number {
  const top = pods.reduce((best, pod) => (pod.role === role ? Math.max(best, pod.highest) : best), 0)
  return top === 0 ? 1 : top * 1.15
}

function hatchUnready(plot: Plot, pod: PodLine, seconds: number, palette: Palette): void {
  paintHatch(plot, 0, pod.readyFrom ?? seconds, palette)
  if (pod.readyUntil !== null) paintHatch(plot, pod.readyUntil, seconds, palette)
}
