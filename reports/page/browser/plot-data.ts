// A chart's lines as the columns that uPlot draws, and the value of a line at a time. No browser needed.

import type { Chart, ChartLine } from './charts.ts'

/** A pair of columns: seconds, and values; null breaks the line, undefined (of a join) does not. */
export type Column = readonly [x: number[], y: (number | null)[]]

/** Grains between two points beyond which a stepped line ends and begins anew. */
const nextWithin = 1.05
/** Seconds after its end at which a stepped line breaks: anything less than a pixel. */
const breakAfter = 1e-6

/** One column pair a line, then the ends of the axis, so that it always shows the whole scenario. */
export function columnsOf(chart: Pick<Chart, 'lines' | 'log' | 'grain'>, seconds: number): readonly Column[] {
  return [
    ...chart.lines.map((line) => columnOf(line, chart)),
    [
      [0, seconds],
      [null, null],
    ],
  ]
}

function columnOf(line: ChartLine, { log, grain }: Pick<Chart, 'log' | 'grain'>): Column {
  // A logarithmic axis has no place for 0.
  const y = log ? line.y.map((value) => (value !== null && value > 0 ? value : null)) : [...line.y]
  return line.shape === 'steps' ? stepped(line.x, y, grain) : [[...line.x], y]
}

/** Each value held from the start of its second, or grain, to its end. */
function stepped(x: readonly number[], y: readonly (number | null)[], grain: number): Column {
  const half = grain / 2
  const steps: [number[], (number | null)[]] = [[], []]
  const add = (at: number, value: number | null): void => {
    steps[0].push(at)
    steps[1].push(value)
  }
  for (const [index, at] of x.entries()) {
    const value = y[index] ?? null
    if (value === null) continue
    add(at - half, value)
    const next = x[index + 1]
    if (next === undefined || next - at > nextWithin * grain || (y[index + 1] ?? null) === null) {
      add(at + half, value)
      add(at + half + breakAfter, null)
    }
  }
  return steps
}

/** The value of the point nearest to `second`, where that lies within the point's own `grain`; else null. */
export function valueAt(line: Pick<ChartLine, 'x' | 'y'>, second: number, grain = 1): number | null {
  let [low, high] = [0, line.x.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((line.x[middle] ?? 0) < second) low = middle + 1
    else high = middle
  }
  const near = [low - 1, low].filter(
    (index) => Math.abs((line.x[index] ?? Infinity) - second) <= grain / 2 + 0.01,
  )
  const [best] = near.sort(
    (a, b) => Math.abs((line.x[a] ?? 0) - second) - Math.abs((line.x[b] ?? 0) - second),
  )
  return best === undefined ? null : (line.y[best] ?? null)
}
