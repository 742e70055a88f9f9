// The affinity matrix: which pod opened the stream, which pod got the reply. Off the diagonal is a violation.

import type { AffinityMatrix } from '../../contracts/results.ts'
import { formatNumber, plural } from '../words.ts'
import { shortNames } from './browser/timeline.ts'
import { type Html, html } from './html.ts'
import { icon } from './words.ts'

/** Shades of the heat map: classes h0 to h9 of the style sheet. */
const shades = 9

export function affinityView(matrix: AffinityMatrix): Html {
  const { rows, columns, counts } = matrix
  const names = shortNames([...new Set([...rows, ...columns])])
  const shorts = new Map([...new Set([...rows, ...columns])].map((pod, index) => [pod, names[index] ?? pod]))
  const short = (pod: string): string => shorts.get(pod) ?? pod
  const at = (row: number, column: number): number => counts[row]?.[column] ?? 0
  const all = counts.flat().reduce((sum, count) => sum + count, 0)
  const strays = rows.reduce(
    (sum, row, index) =>
      sum + columns.reduce((part, column, to) => part + (column === row ? 0 : at(index, to)), 0),
    0,
  )
  const most = Math.max(1, ...counts.map((row) => Math.max(0, ...row)))
  const cell = (row: number, column: number): Html => {
    const count = at(row, column)
    const own = rows[row] === columns[column]
    if (!own && count > 0) {
      return html`<td class="stray"><span aria-hidden="true">✕ </span>${formatNumber(count, 9)}<span class="hidden"> to a foreign pod</span></td>`
    }
    if (!own) return html`<td class="other">0</td>`
    return html`<td class="own h${Math.round((count / most) * shades)}">${formatNumber(count, 9)}</td>`
  }
  return html`<div class="affinity"><h3>Affinity</h3>
<p class="affinity-result">${icon(strays === 0 && all > 0 ? 'PASS' : strays > 0 ? 'FAIL' : 'INVALID')} ${resultWords(all, strays)}${matrix.crossed !== null && all > 0 && ` ${plural(matrix.crossed, 'reply', 'replies')} of ${formatNumber(all, 9)} came through another balancer than the stream (${formatNumber((matrix.crossed / all) * 100)} %).`}</p>
<p class="note">Down: the pod that opened the stream. Across: the pod that got the reply.</p>
<div class="scroll" role="region" aria-label="Affinity matrix" tabindex="0"><table class="matrix">
<caption class="hidden">Callbacks by the pod that opened the stream (down) and the pod that got the reply (across)</caption>
<thead><tr><td class="corner">stream of ↓ · reply to →</td>${columns.map((pod) => html`<th scope="col" title="${pod}">${short(pod)}</th>`)}</tr></thead>
<tbody>${rows.map((pod, row) => html`<tr><th scope="row" title="${pod}">${short(pod)}</th>${columns.map((_, column) => cell(row, column))}</tr>\n`)}</tbody>
</table></div></div>`
}

function resultWords(all: number, strays: number): string {
  if (all === 0) return 'No callback was recorded.'
  if (strays === 0) return `All ${plural(all, 'callback')} came back to the pod that opened the stream.`
  return `${plural(strays, 'callback')} of ${formatNumber(all, 9)} reached a pod that did not open the stream.`
}
