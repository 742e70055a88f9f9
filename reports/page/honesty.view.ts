// Whether the load was what it was meant to be: planned against sent, drops, lag, and how runs came out.

import type { NamedLoad } from '../../contracts/results.ts'
import { type LoadGroup, loadGroups } from '../formats/loads.ts'
import { formatMs } from '../formats/summary.ts'
import { formatNumber, plural } from '../words.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { dataTable } from './table.view.ts'
import { profileWords } from './words.ts'

export function honestyView(loads: readonly NamedLoad[]): Html | false {
  if (loads.length === 0) return false
  const groups = loadGroups(loads)
  const errors = groups.flatMap((group) => group.loads.flatMap((load) => load.errors))
  return html`<div class="loads"><h3>Load</h3>
${dataTable(
  'Answers',
  [
    'load',
    'sent',
    'completed',
    'wrong value',
    'failed',
    'refused',
    'unknown',
    'p50',
    'p90',
    'p95',
    'p99',
    'highest',
  ].map((title, index) => ({ title, figure: index > 0 })),
  groups.map((group) => [
    group.name,
    formatNumber(group.offered, 9),
    formatNumber(group.completed, 9),
    counted(group.incorrect),
    counted(group.failed),
    counted(group.refused),
    counted(group.unknown),
    ...[
      group.latency.p50Ms,
      group.latency.p90Ms,
      group.latency.p95Ms,
      group.latency.p99Ms,
      group.latency.maxMs,
    ].map(formatMs),
  ]),
)}
${dataTable(
  'Was it the load that was planned?',
  ['load', 'plan', 'engine', 'planned', 'sent', 'dropped', 'sent late, p99', 'at most', 'generator busy'].map(
    (title, index) => ({
      title,
      figure: index > 2,
    }),
  ),
  groups.map(honestyRow),
)}
${errors.length > 0 && errorsView(errors)}</div>`
}

function honestyRow(group: LoadGroup): readonly HtmlValue[] {
  const worst = (value: (load: LoadGroup['loads'][number]) => number): number =>
    group.loads.reduce((best, load) => Math.max(best, value(load)), 0)
  const rounds = group.loads.length > 1 ? `${group.loads.length} times ` : ''
  const [first] = group.loads
  return [
    group.name,
    first === undefined ? '' : `${rounds}${profileWords(first.profile)}`,
    [...new Set(group.loads.map(({ engine }) => engine))].join(', '),
    group.planned === null ? 'as answered' : formatNumber(group.planned, 9),
    sentWords(group),
    counted(group.dropped),
    formatMs(worst(({ lag }) => lag.p99Ms)),
    formatMs(worst(({ lag }) => lag.maxMs)),
    `${formatNumber(worst(({ generatorUtilization }) => generatorUtilization) * 100, 2)} %`,
  ]
}

function sentWords({ offered, planned }: LoadGroup): string {
  const sent = formatNumber(offered, 9)
  return planned === null || planned === 0 ? sent : `${sent} (${formatNumber((offered / planned) * 100)} %)`
}

/** A count that ought to be 0: marked by weight and sign where it is not. */
function counted(count: number): HtmlValue {
  return count === 0 ? '0' : html`<b class="bad">${formatNumber(count, 9)}</b>`
}

function errorsView(errors: readonly { readonly text: string; readonly count: number }[]): Html {
  const counts = new Map<string, number>()
  for (const { text, count } of errors) counts.set(text, (counts.get(text) ?? 0) + count)
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  return html`<details open><summary>Errors that runs ended with</summary><ul class="examples">${sorted.map(
    ([text, count]) => html`<li><b>${plural(count, 'run')}</b> <code>${text}</code></li>`,
  )}</ul></details>`
}
