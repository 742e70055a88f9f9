// Targets: what was measured against what is wanted, each with a bar.

import type { Results, ThresholdResult } from '../../contracts/results.ts'
import { measuredText, shownFigure, targetResult, thresholdsOf, wantedText } from '../formats/summary.ts'
import { capital, plural } from '../words.ts'
import { type Html, html } from './html.ts'
import { cardTable } from './table.view.ts'
import { badge, codeWords, markClass } from './words.ts'

/** Size of a bar, in the units of its view box. */
const bar = { width: 160, height: 20 }

export function thresholdsView(results: Results): Html | false {
  const thresholds = thresholdsOf(results)
  if (thresholds.length === 0) return false
  return html`<section id="targets" aria-labelledby="targets-heading">
<h2 id="targets-heading">Targets</h2>
<p class="intro">The bar is what was measured; the upright line is the target, and the shaded side of it is where the bar must end.</p>
${cardTable(
  'Measured against target',
  [
    { title: 'What must hold' },
    { title: 'Measured', figure: true },
    { title: '' },
    { title: 'Wanted' },
    { title: 'Result' },
  ],
  thresholds.map(thresholdRow),
)}
</section>`
}

function thresholdRow(threshold: ThresholdResult): {
  readonly cells: readonly Html[]
  readonly mark: string
} {
  const result = targetResult(threshold)
  const figure = shownFigure(threshold)
  const from = [
    threshold.measured === null ? undefined : threshold.measuredBy,
    threshold.statistic,
    threshold.window,
  ].filter((part) => part !== undefined)
  const why = threshold.outcome === 'not measured' ? ` — ${threshold.reason}` : ''
  const samples = threshold.samples === undefined ? '' : ` (${plural(threshold.samples, 'sample')})`
  return {
    mark: `threshold ${markClass(result)}`,
    cells: [
      html`<span class="claim">${codeWords(capital(threshold.claim))}</span><span class="how"><code>${threshold.name}</code> ${from.join(' · ')}${samples}${why}</span>`,
      figure === null ? html`<span class="none">none</span>` : html`<b>${measuredText(threshold)}</b>`,
      bulletBar(threshold, figure, markClass(result)),
      html`${wantedText(threshold)}`,
      badge(result),
    ],
  }
}

/** Drawn by attributes alone: the page's policy allows no inline style. The figures stand beside it as text. */
function bulletBar({ target, comparison }: ThresholdResult, measured: number | null, mark: string): Html {
  const most = Math.max(target, measured ?? 0, Number.MIN_VALUE) * 1.2
  const x = (value: number): number => Math.round((Math.max(0, value) / most) * bar.width * 10) / 10
  const line = x(target)
  const good = comparison === 'at most' ? { from: 0, to: line } : { from: line, to: bar.width }
  return html`<svg class="bullet ${mark}" viewBox="0 0 ${bar.width} ${bar.height}" width="${bar.width}" height="${bar.height}" preserveAspectRatio="none" aria-hidden="true" focusable="false">
<rect class="track" x="0" y="4" width="${bar.width}" height="12" rx="2"/>
<rect class="good" x="${good.from}" y="4" width="${good.to - good.from}" height="12"/>
${measured !== null && html`<rect class="value" x="0" y="7.5" width="${Math.max(1.5, x(measured))}" height="5" rx="1"/>`}
<rect class="target" x="${line - 1}" y="1" width="2" height="18"/>
</svg>`
}
