// The charts by keyboard: arrow keys read second by second, plus and minus zoom, Escape shows all again.

import { formatNumber } from '../../words.ts'
import type { Chart } from './charts.ts'
import { valuesAt } from './legend.ts'
import { formatSecond, type Timeline } from './timeline.ts'

/** What the keys act on. */
export interface KeyActions {
  /** Seconds shown now. */
  shown(): { readonly min: number; readonly max: number }
  zoom(min: number, max: number): void
  /** Puts the cursor of all charts on a second. */
  point(second: number): void
  charts(): readonly Chart[]
}

/** Seconds that can be zoomed in to. */
const shortestZoom = 2

/** Listens on the box of charts in `root`, and says in its readout what stands under the cursor. */
export function listenToKeys(root: HTMLElement, timeline: Timeline, actions: KeyActions): void {
  const box = root.querySelector<HTMLElement>('.charts')
  const readout = root.querySelector<HTMLElement>('.readout')
  const last = Math.max(0.5, Math.floor(timeline.seconds) - 0.5)
  let second: number | null = null
  const move = (to: number): void => {
    second = Math.min(last, Math.max(0.5, to))
  }
  const zoom = (factor: number): void => {
    const { min, max } = actions.shown()
    const span = Math.min(timeline.seconds, Math.max(shortestZoom, (max - min) * factor))
    const middle = Math.min(Math.max(second ?? (min + max) / 2, span / 2), timeline.seconds - span / 2)
    actions.zoom(middle - span / 2, middle + span / 2)
  }
  const keys: Readonly<Record<string, (step: number) => void>> = {
    ArrowRight: (step) => move(second === null ? 0.5 : second + step),
    ArrowLeft: (step) => move(second === null ? last : second - step),
    Home: () => move(0.5),
    End: () => move(last),
    '+': () => zoom(0.5),
    '=': () => zoom(0.5),
    '-': () => zoom(2),
    Escape: () => zoom(Number.POSITIVE_INFINITY),
  }
  box?.addEventListener('keydown', (event) => {
    const act = keys[event.key]
    if (act === undefined || event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    // With Shift ten seconds; one point where a point stands for more.
    const grain = actions.charts()[0]?.grain ?? 1
    act(event.shiftKey ? 10 * grain : grain)
    // Charts carry out a zoom in the next microtask; the cursor goes where the second is then.
    queueMicrotask(() => {
      if (second === null) return
      actions.point(second)
      if (readout !== null) readout.textContent = readingAt(timeline, actions.charts(), second)
    })
  })
  box?.addEventListener('blur', () => {
    second = null
    if (readout !== null) readout.textContent = ''
  })
}

/** What stands under the cursor in words: `4.5 s, fault, kill of pod-a: p50 12 ms, p99 193 ms, …`. */
export function readingAt(timeline: Timeline, charts: readonly Chart[], second: number): string {
  const window = timeline.windows.findLast(({ from }) => from <= second)?.name
  const faults = timeline.faults
    .filter(({ requested, cleared }) => requested <= second && (cleared === null || cleared >= second))
    .map(({ name, pod }) => (pod === null ? name : `${name} of ${pod}`))
  const values = charts.flatMap((chart) =>
    [...new Set(chart.lines.map(({ label }) => label))].flatMap((label) =>
      valuesAt(chart, label, second).map((value) => `${label} ${formatNumber(value)} ${chart.unit}`),
    ),
  )
  const when = [formatSecond(second, timeline.seconds), window, ...faults].filter(
    (part) => part !== undefined,
  )
  return `${when.join(', ')}: ${values.length === 0 ? 'no figure' : values.join(', ')}`
}
