// What is painted on the charts besides their lines: windows, faults, their tags, and the strip that names them.

import { type LaneItem, type PlacedItem, placeInLanes, placeTags } from './lanes.ts'
import type { Palette } from './palette.ts'
import { shortNames, type Timeline, type TimelineFault } from './timeline.ts'
import type { Plot } from './uplot.ts'

/** Heights in CSS pixels. */
export const stripRow = 22
export const tagHeight = 18
/** Faults in more lanes than this are marked in the charts and listed in the table, but have no bar. */
const maxLanes = 8
/** Tags nearer than this many CSS pixels become one. */
const nearestTags = 20
const font = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

/** Tints of faults, below the lines. */
export function paintBackground(plot: Plot, timeline: Timeline, palette: Palette): void {
  const { ctx, bbox } = plot
  clipped(plot, () => {
    ctx.fillStyle = palette.fault
    for (const fault of timeline.faults) {
      const [from, to] = edges(plot, fault, timeline.seconds)
      ctx.fillRect(from, bbox.top, Math.max(1, to - from), bbox.height)
    }
  })
}

/** A dotted line where a window begins, a whole one at each fault's request; above the grid, which would hide them. */
export function paintEventLines(plot: Plot, timeline: Timeline, palette: Palette): void {
  const { ctx } = plot
  clipped(plot, () => {
    ctx.strokeStyle = palette.muted
    ctx.lineWidth = devicePixelRatio
    ctx.setLineDash([devicePixelRatio, 3 * devicePixelRatio])
    for (const { from } of timeline.windows.slice(1)) verticalLine(plot, from)
    ctx.setLineDash([])
    ctx.strokeStyle = palette.faultInk
    ctx.lineWidth = devicePixelRatio
    for (const { requested } of timeline.faults) verticalLine(plot, requested)
  })
}

/** The numbers of the faults above the plot. */
export function paintTags(plot: Plot, timeline: Timeline, palette: Palette): void {
  const { ctx, bbox } = plot
  const scale = devicePixelRatio
  const visible = timeline.faults
    .map(({ number, requested }) => ({ number, x: plot.valToPos(requested, 'x', true) }))
    .filter(({ x }) => x >= bbox.left - 1 && x <= bbox.left + bbox.width + 1)
  ctx.save()
  ctx.font = `600 ${10 * scale}px ${font}`
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  for (const { x, text } of placeTags(visible, nearestTags * scale)) {
    const width = Math.max(15 * scale, ctx.measureText(text).width + 8 * scale)
    // A tag at an edge of the plot stays within the canvas.
    const middle = Math.min(Math.max(x, width / 2), ctx.canvas.width - width / 2)
    const top = bbox.top - (tagHeight - 1) * scale
    ctx.fillStyle = palette.faultInk
    ctx.beginPath()
    ctx.roundRect(middle - width / 2, top, width, 14 * scale, 3 * scale)
    ctx.fill()
    ctx.fillStyle = palette.paper
    ctx.fillText(text, middle, top + 7.5 * scale)
  }
  ctx.restore()
}

/** A dashed line across at the target. */
export function paintTarget(plot: Plot, target: number, palette: Palette): void {
  const { ctx, bbox } = plot
  clipped(plot, () => {
    const y = plot.valToPos(target, 'y', true)
    ctx.strokeStyle = palette.ink
    ctx.lineWidth = devicePixelRatio
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
  })
}

/** Diagonal lines over the seconds in which something was not there. */
export function paintHatch(plot: Plot, from: number, to: number, palette: Palette): void {
  const { ctx, bbox } = plot
  const [left, right] = [plot.valToPos(from, 'x', true), plot.valToPos(to, 'x', true)]
  if (right - left < 1) return
  clipped(plot, () => {
    ctx.beginPath()
    ctx.rect(left, bbox.top, right - left, bbox.height)
    ctx.clip()
    ctx.strokeStyle = palette.grid
    ctx.lineWidth = 1.5 * devicePixelRatio
    const step = 7 * devicePixelRatio
    ctx.beginPath()
    for (let x = bbox.left - bbox.height; x < bbox.left + bbox.width; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height)
      ctx.lineTo(x + bbox.height, bbox.top)
    }
    ctx.stroke()
  })
}

/** CSS pixels the strip takes for its rows of windows and faults, with `plotWidth` CSS pixels of time. */
export function stripHeight(timeline: Timeline, plotWidth: number): number {
  const ctx = document.createElement('canvas').getContext('2d')
  const { placed } = layOut(timeline, ctx, 1, (second) => (second / timeline.seconds) * plotWidth, plotWidth)
  const lanes = Math.min(maxLanes, Math.max(0, ...placed.map(({ lane }) => lane + 1)))
  return (timeline.windows.length > 0 ? stripRow : 0) + lanes * stripRow
}

/** The strip: a row of windows by name, then a bar for each fault with its number, name and pod. */
export function paintStrip(plot: Plot, timeline: Timeline, palette: Palette): void {
  const { ctx, bbox } = plot
  const scale = devicePixelRatio
  const row = stripRow * scale
  const left = (second: number): number => plot.valToPos(second, 'x', true) - bbox.left
  clipped(plot, () => {
    ctx.translate(bbox.left, bbox.top)
    ctx.textBaseline = 'middle'
    ctx.font = `${11 * scale}px ${font}`
    for (const [index, { name, from, to }] of timeline.windows.entries()) {
      const [start, end] = [Math.max(0, left(from)), Math.min(bbox.width, left(to))]
      if (end - start < 1) continue
      ctx.fillStyle = palette.window
      // Every other one is shaded; an edge marks where each begins.
      ctx.fillRect(start, 0, index % 2 === 0 ? end - start : 0, row - 3 * scale)
      ctx.fillStyle = palette.plan
      ctx.fillRect(start, 0, scale, row - 3 * scale)
      ctx.fillStyle = palette.muted
      ctx.textAlign = 'left'
      const text = fitted(ctx, name, end - start - 10 * scale)
      ctx.fillText(text, start + 5 * scale, (row - 3 * scale) / 2)
    }
    if (timeline.windows.length > 0) ctx.translate(0, row)
    const { placed, labels } = layOut(timeline, ctx, scale, left, bbox.width)
    for (const [index, fault] of timeline.faults.entries()) {
      const place = placed[index]
      if (place === undefined || place.lane >= maxLanes) continue
      paintFault(ctx, fault, place, labels[index] ?? '', palette, { scale, left, width: bbox.width })
    }
  })
}

interface StripSpace {
  readonly scale: number
  readonly left: (second: number) => number
  readonly width: number
}

function paintFault(
  ctx: CanvasRenderingContext2D,
  fault: TimelineFault,
  place: PlacedItem,
  label: string,
  palette: Palette,
  { scale, left, width }: StripSpace,
): void {
  const top = place.lane * stripRow * scale + 3 * scale
  const height = (stripRow - 7) * scale
  const from = left(fault.requested)
  const to = Math.max(from + 3 * scale, fault.cleared === null ? width : left(fault.cleared))
  ctx.lineWidth = scale
  ctx.strokeStyle = palette.faultInk
  ctx.fillStyle = palette.fault
  ctx.setLineDash(fault.observed === null ? [3 * scale, 3 * scale] : [])
  ctx.beginPath()
  ctx.rect(from + scale / 2, top + scale / 2, to - from - scale, height - scale)
  ctx.fill()
  ctx.stroke()
  ctx.setLineDash([])
  if (fault.observed !== null) {
    // Solid at the foot: the stretch in which it was seen to be in effect.
    ctx.fillStyle = palette.faultInk
    const observed = left(fault.observed)
    ctx.fillRect(observed, top + height - 3 * scale, Math.max(scale, to - observed), 3 * scale)
  }
  ctx.fillStyle = palette.ink
  ctx.textAlign = 'left'
  ctx.font = `${11 * scale}px ${font}`
  ctx.fillText(fitted(ctx, label, place.labelWidth), place.labelLeft, top + height / 2 - scale / 2)
}

function layOut(
  timeline: Timeline,
  ctx: CanvasRenderingContext2D | null,
  scale: number,
  left: (second: number) => number,
  plotWidth: number,
): { readonly placed: readonly PlacedItem[]; readonly labels: readonly string[] } {
  const pods = [...new Set(timeline.faults.flatMap(({ pod }) => pod ?? []))]
  const shorts = new Map(shortNames(pods).map((short, index) => [pods[index], short]))
  const labels = timeline.faults.map(({ number, name, pod }) =>
    [number, name, pod === null ? '' : `…${shorts.get(pod) ?? pod}`].join(' ').trim(),
  )
  if (ctx !== null) ctx.font = `${11 * scale}px ${font}`
  const items: LaneItem[] = timeline.faults.map(({ requested, cleared }, index) => {
    const from = left(requested)
    const to = cleared === null ? plotWidth : left(cleared)
    const text = (labels[index] ?? '').slice(0, 60)
    return {
      from,
      to: Math.max(from + 3 * scale, to),
      labelWidth: (ctx?.measureText(text).width ?? 0) + 2 * scale,
    }
  })
  return { placed: placeInLanes(items, plotWidth), labels: labels.map((label) => label.slice(0, 60)) }
}

/** `text`, or its start with an ellipsis, or nothing where there is no room. */
function fitted(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text
  for (let length = text.length - 1; length > 1; length -= 1) {
    const cut = `${text.slice(0, length).trimEnd()}…`
    if (ctx.measureText(cut).width <= width) return cut
  }
  return ''
}

function edges(plot: Plot, fault: TimelineFault, seconds: number): readonly [from: number, to: number] {
  return [plot.valToPos(fault.requested, 'x', true), plot.valToPos(fault.cleared ?? seconds, 'x', true)]
}

function verticalLine({ ctx, bbox, valToPos }: Plot, second: number): void {
  const x = Math.round(valToPos(second, 'x', true)) + 0.5
  ctx.beginPath()
  ctx.moveTo(x, bbox.top)
  ctx.lineTo(x, bbox.top + bbox.height)
  ctx.stroke()
}

/** Runs `paint` with everything outside the plot cut off, and the context as it was afterwards. */
function clipped({ ctx, bbox }: Plot, paint: () => void): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  paint()
  ctx.restore()
}
