// The legend of a chart: a sample of each line, its name, and its value under the cursor.

import { formatNumber } from '../../words.ts'
import type { Chart, ChartLine } from './charts.ts'
import { colourOf, type Palette } from './palette.ts'
import { valueAt } from './plot-data.ts'

/** Places for values, by the label of the line. */
export type ValuePlaces = ReadonlyMap<string, HTMLElement>

/** Draws the legend into `place`. Lines of one name (planned, failed) share a sample. */
export function drawLegend(place: HTMLElement, chart: Chart, palette: Palette): ValuePlaces {
  const places = new Map<string, HTMLElement>()
  for (const line of chart.lines) {
    if (places.has(line.label)) continue
    const value = document.createElement('b')
    const item = legendItem(line.label, line, palette)
    item.append(value)
    place.append(item)
    places.set(line.label, value)
  }
  if (chart.target !== null) {
    const label = `target ${formatNumber(chart.target)} ${chart.unit}`
    place.append(legendItem(label, { colour: 'ink', shape: 'line', dashed: true }, palette))
  }
  return places
}

/** Gives every sample below `root` the colours of `palette`. */
export function paintSamples(root: HTMLElement, palette: Palette): void {
  for (const sample of root.querySelectorAll<SVGElement>('[data-colour]')) paintSample(sample, palette)
}

/** Writes the values at `second`, or nothing where there is none. */
export function showValues(chart: Chart, places: ValuePlaces, second: number | null): void {
  for (const [label, place] of places) {
    const [value] = second === null ? [] : valuesAt(chart, label, second)
    const text = value === undefined ? '' : `${formatNumber(value)} ${chart.unit}`
    if (place.textContent !== text) place.textContent = text
  }
}

/** Values of the lines of one name at a time: several only where loads of one scenario overlap. */
export function valuesAt(chart: Chart, label: string, second: number): readonly number[] {
  return chart.lines.flatMap((line) =>
    line.label === label ? (valueAt(line, second, chart.grain) ?? []) : [],
  )
}

function legendItem(
  label: string,
  {
    colour,
    shape,
    dashed,
  }: Pick<ChartLine, 'shape' | 'dashed'> & { readonly colour: ChartLine['colour'] | 'ink' },
  palette: Palette,
): HTMLElement {
  const bars = shape === 'bars'
  const item = document.createElement('span')
  item.className = 'legend-item'
  const sample = svg('svg', { width: '22', height: '10', viewBox: '0 0 22 10', 'aria-hidden': 'true' })
  sample.dataset['colour'] = String(colour)
  sample.append(
    svg('path', {
      d: bars ? 'M7 9V2h8v7z' : 'M0 5h22',
      'stroke-width': bars ? '0' : '2.5',
      ...(dashed ? { 'stroke-dasharray': '5 4' } : {}),
      ...(bars ? {} : { fill: 'none' }),
    }),
  )
  paintSample(sample, palette)
  item.append(sample, document.createTextNode(label))
  return item
}

function paintSample(sample: SVGElement, palette: Palette): void {
  const name = sample.dataset['colour'] ?? '0'
  const colour =
    name === 'fail' || name === 'plan' || name === 'ink' ? palette[name] : colourOf(palette, Number(name))
  const path = sample.firstElementChild
  path?.setAttribute('stroke', colour)
  if (path?.getAttribute('fill') !== 'none') path?.setAttribute('fill', colour)
}

function svg(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name) as SVGElement
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}
