// The charts of one scenario: drawn together, with one cursor, one zoom and one reading for the keyboard.

import { formatNumber } from '../../words.ts'
import { type Chart, type ChartLine, chartsOf, podChart } from './charts.ts'
import { paintHatch, paintStrip, stripHeight } from './marks.ts'
import { colourOf, type Palette, readPalette } from './palette.ts'
import { axisWidth, drawPlot, hooksOf, rightPadding, sharedOptions } from './plot.ts'
import { valueAt } from './plot-data.ts'
import { formatSecond, type PodLine, type Timeline } from './timeline.ts'
import { type Plot, plots } from './uplot.ts'

/** The charts of a scenario, for the page. */
export interface ChartGroup {
  /** Draws anew with the colours of now. */
  repaint(): void
  /** Fits all charts to `width` CSS pixels, or to their places. */
  resize(width?: number): void
}

/** Heights of the plots in CSS pixels, on a page that is wide or narrow. */
const heights = { latency: [220, 180], rate: [170, 150], other: [130, 120], pod: [50, 46] } as const
const narrowBelow = 600

/** Draws every chart of `timeline` into the places that `root` has for them. */
export function drawGroup(root: HTMLElement, timeline: Timeline, key: string): ChartGroup {
  let palette: Palette = readPalette()
  const drawn: {
    readonly plot: Plot
    readonly place: HTMLElement
    readonly height: (width: number) => number
  }[] = []
  const charts = chartsOf(timeline)
  const live: { readonly chart: Chart; readonly values: readonly HTMLElement[] }[] = []
  let zooming = false

  const onCursor = (plot: Plot): void => {
    const { left } = plot.cursor
    const second = left === undefined || left === null || left < 0 ? null : plot.posToVal(left, 'x')
    showValues(live, second)
  }
  const onZoom = (source: Plot): void => {
    const { min, max } = source.scales['x'] ?? {}
    if (zooming || typeof min !== 'number' || typeof max !== 'number') return
    zooming = true
    for (const { plot } of drawn) if (plot !== source) plot.setScale('x', { min, max })
    zooming = false
  }
  const setup = { timeline, palette: () => palette, syncKey: key, onCursor, onZoom }

  const strip = placeOf(root, 'strip')
  if (strip !== null) {
    const height = (width: number): number => stripHeight(timeline, width - axisWidth - rightPadding)
    const plot = drawStrip(strip, { ...setup, width: strip.clientWidth, height: height(strip.clientWidth) })
    drawn.push({ plot, place: strip, height })
  }
  for (const chart of charts) {
    const place = placeOf(root, chart.id)
    if (place === null) continue
    const kind = chart.id === 'latency' || chart.id === 'rate' ? chart.id : 'other'
    const height = (width: number): number => heights[kind][width < narrowBelow ? 1 : 0]
    const width = place.clientWidth
    drawn.push({
      plot: drawPlot({ ...setup, chart, width, height: height(width), times: true }, place),
      place,
      height,
    })
    live.push({ chart, values: drawLegend(root, chart, () => palette) })
  }
  for (const [index, pod] of timeline.pods.entries()) {
    const place = placeOf(root, `pod-${index}`)
    if (place === null) continue
    const chart = podChart(pod, index)
    const last = timeline.pods[index + 1]?.role !== pod.role
    const height = (width: number): number => heights.pod[width < narrowBelow ? 1 : 0] + (last ? 24 : 0)
    const width = place.clientWidth
    const top = highestOfRole(timeline, pod)
    const underneath = (plot: Plot): void => hatchUnready(plot, pod, timeline.seconds, palette)
    drawn.push({
      plot: drawPlot({ ...setup, chart, width, height: height(width), times: last, top, underneath }, place),
      place,
      height,
    })
    const now = root.querySelector<HTMLElement>(`[data-now="pod-${index}"]`)
    if (now !== null) live.push({ chart, values: [now] })
  }
  listenToKeys(root, timeline, charts, () => drawn.map(({ plot }) => plot), live)

  return {
    repaint() {
      palette = readPalette()
      for (const { plot } of drawn) plot.redraw()
      for (const swatch of root.querySelectorAll<SVGElement>('[data-colour]')) paintSwatch(swatch, palette)
    },
    resize(width) {
      for (const { plot, place, height } of drawn) {
        const wide = width ?? place.clientWidth
        if (wide > 0) plot.setSize({ width: wide, height: height(wide) })
      }
    },
  }
}

function drawStrip(
  place: HTMLElement,
  setup: Pick<
    Parameters<typeof drawPlot>[0],
    'timeline' | 'palette' | 'syncKey' | 'onCursor' | 'onZoom' | 'width' | 'height'
  >,
): Plot {
  const { timeline } = setup
  return new plots(
    {
      ...sharedOptions(setup),
      padding: [0, rightPadding, 0, axisWidth],
      series: [{}],
      scales: { x: { time: false } },
      axes: [{ show: false }, { show: false }],
      hooks: { draw: [(plot) => paintStrip(plot, timeline, setup.palette())], ...hooksOf(setup) },
    },
    [[0, timeline.seconds]],
    place,
  )
}

function placeOf(root: HTMLElement, chart: string): HTMLElement | null {
  return root.querySelector<HTMLElement>(`[data-chart="${chart}"]`)
}

/** Pods of a role share one scale, so that their heights compare. */
function highestOfRole({ pods }: Timeline, { role }: PodLine): number {
  const top = pods
    .filter((pod) => pod.role === role)
    .reduce((best, { points }) => points.reduce((most, { calls }) => Math.max(most, calls), best), 0)
  return top === 0 ? 1 : top * 1.15
}

function hatchUnready(plot: Plot, pod: PodLine, seconds: number, palette: Palette): void {
  paintHatch(plot, 0, pod.readyFrom ?? seconds, palette)
  if (pod.readyUntil !== null) paintHatch(plot, pod.readyUntil, seconds, palette)
}

/** A sample of each line with its name and a place for its value under the cursor. */
function drawLegend(root: HTMLElement, chart: Chart, palette: () => Palette): readonly HTMLElement[] {
  const place = root.querySelector<HTMLElement>(`[data-legend="${chart.id}"]`)
  if (place === null) return []
  const values = chart.lines.map((line) => {
    const value = document.createElement('b')
    const item = legendItem(line.label, line.colour, line.shape === 'bars', line.dashed, palette())
    item.append(value)
    place.append(item)
    return value
  })
  if (chart.target !== null) {
    const label = `target ${formatNumber(chart.target)} ${chart.unit}`
    place.append(legendItem(label, 'ink', false, true, palette()))
  }
  return values
}

function legendItem(
  label: string,
  colour: ChartLine['colour'] | 'ink',
  bars: boolean,
  dashed: boolean,
  palette: Palette,
): HTMLElement {
  const item = document.createElement('span')
  item.className = 'legend-item'
  const swatch = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  for (const [name, value] of Object.entries({
    width: '22',
    height: '10',
    viewBox: '0 0 22 10',
    'aria-hidden': 'true',
  })) {
    swatch.setAttribute(name, value)
  }
  swatch.dataset['colour'] = String(colour)
  const sample = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  sample.setAttribute('d', bars ? 'M7 9V2h8v7z' : 'M0 5h22')
  sample.setAttribute('stroke-width', bars ? '0' : '2.5')
  if (dashed) sample.setAttribute('stroke-dasharray', '5 4')
  if (!bars) sample.setAttribute('fill', 'none')
  swatch.append(sample)
  paintSwatch(swatch, palette)
  item.append(swatch, document.createTextNode(label))
  return item
}

function paintSwatch(swatch: SVGElement, palette: Palette): void {
  const name = swatch.dataset['colour'] ?? '0'
  const colour =
    name === 'fail' || name === 'plan' || name === 'ink' ? palette[name] : colourOf(palette, Number(name))
  const sample = swatch.firstElementChild
  sample?.setAttribute('stroke', colour)
  if (sample?.getAttribute('fill') !== 'none') sample?.setAttribute('fill', colour)
}

function showValues(
  live: readonly { readonly chart: Chart; readonly values: readonly HTMLElement[] }[],
  second: number | null,
): void {
  for (const { chart, values } of live) {
    for (const [index, line] of chart.lines.entries()) {
      const place = values[index]
      if (place === undefined) continue
      const value = second === null ? null : valueAt(line, second)
      const text = value === null ? '' : `${formatNumber(value)} ${chart.unit}`
      if (place.textContent !== text) place.textContent = text
    }
  }
}

/** Arrow keys step by a second (with Shift by ten), plus and minus zoom, Escape shows all again. */
function listenToKeys(
  root: HTMLElement,
  timeline: Timeline,
  charts: readonly Chart[],
  allPlots: () => readonly Plot[],
  live: readonly { readonly chart: Chart; readonly values: readonly HTMLElement[] }[],
): void {
  const box = root.querySelector<HTMLElement>('.charts')
  const readout = root.querySelector<HTMLElement>('.readout')
  let second: number | null = null
  const show = (): void => {
    if (second === null) return
    const [plot] = allPlots()
    if (plot === undefined) return
    for (const one of allPlots()) {
      one.setCursor({ left: one.valToPos(second, 'x'), top: 0 }, false)
    }
    showValues(live, second)
    if (readout !== null) readout.textContent = readingAt(timeline, charts, second)
  }
  const zoom = (factor: number): void => {
    const [plot] = allPlots()
    const { min, max } = plot?.scales['x'] ?? {}
    if (plot === undefined || typeof min !== 'number' || typeof max !== 'number') return
    const span = Math.min(timeline.seconds, Math.max(2, (max - min) * factor))
    const middle = Math.min(Math.max(second ?? (min + max) / 2, span / 2), timeline.seconds - span / 2)
    plot.setScale('x', { min: middle - span / 2, max: middle + span / 2 })
  }
  box?.addEventListener('keydown', (event) => {
    if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return
    const step = event.shiftKey ? 10 : 1
    const last = Math.max(0.5, Math.floor(timeline.seconds) - 0.5)
    const move = (to: number): void => {
      second = Math.min(last, Math.max(0.5, to))
    }
    const actions: Record<string, () => void> = {
      ArrowRight: () => move(second === null ? 0.5 : second + step),
      ArrowLeft: () => move(second === null ? last : second - step),
      Home: () => move(0.5),
      End: () => move(last),
      '+': () => zoom(0.5),
      '=': () => zoom(0.5),
      '-': () => zoom(2),
      Escape: () => zoom(Number.POSITIVE_INFINITY),
    }
    const action = actions[event.key]
    if (action === undefined) return
    event.preventDefault()
    action()
    // Charts draw a zoom in the next microtask; the cursor goes where the second is then.
    queueMicrotask(show)
  })
  box?.addEventListener('blur', () => {
    second = null
    if (readout !== null) readout.textContent = ''
  })
}

/** What stands under the cursor in words: `4.5 s, fault: p50 12 ms, p99 193 ms; …`. */
function readingAt(timeline: Timeline, charts: readonly Chart[], second: number): string {
  const window = timeline.windows.findLast(({ from }) => from <= second)?.name
  const faults = timeline.faults
    .filter(({ requested, cleared }) => requested <= second && (cleared === null || cleared >= second))
    .map(({ name, pod }) => (pod === null ? name : `${name} of ${pod}`))
  const values = charts.flatMap((chart) =>
    chart.lines.flatMap((line) => {
      const value = valueAt(line, second)
      return value === null ? [] : `${line.label} ${formatNumber(value)} ${chart.unit}`
    }),
  )
  const when = [formatSecond(second, timeline.seconds), window, ...faults].filter(
    (part) => part !== undefined,
  )
  return `${when.join(', ')}: ${values.length === 0 ? 'no figure' : values.join(', ')}`
}
