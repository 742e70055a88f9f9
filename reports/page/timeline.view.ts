// Charts over time: places for the browser to draw in, and the same figures as text and tables.

import { formatMs } from '../formats/summary.ts'
import { formatNumber } from '../words.ts'
import { type Chart, chartsOf, describeChart, isCharted, podChart } from './browser/charts.ts'
import {
  formatSecond,
  grainFor,
  grainWords,
  type LoadLine,
  type LoadPoint,
  type PodLine,
  type Timeline,
  type TimelineFault,
} from './browser/timeline.ts'
import { type Html, html } from './html.ts'
import { dataTable } from './table.view.ts'

/** Rows of a table behind a chart; longer stretches are put together. */
const maxRows = 120
/** Faults listed below the charts; more stand in the table of events. */
const listedFaults = 12

const roleTitles = {
  runtime: 'Runtime',
  balancer: 'Balancers',
  'component-server': 'Component servers',
} as const

/** @param index of the scenario, by which the browser finds its data */
export function timelineView(timeline: Timeline, index: number): Html {
  const charts = chartsOf(timeline)
  const charted = isCharted(timeline)
  const id = `timeline-${index}`
  const events = timeline.faults.length + timeline.windows.length
  if (charts.length === 0 && timeline.pods.length === 0 && events === 0) {
    return html`<p class="empty">Nothing was measured over time.</p>`
  }
  return html`<div class="timeline" data-timeline="${index}" role="group" aria-labelledby="${id}-title">
<div class="timeline-head"><h3 id="${id}-title">Over time</h3>
${charted && html`<p class="hint script-only">Point at a chart to read that second in all of them; drag to zoom in, double-click to zoom out; with the keyboard: arrow keys, + and −. <span class="grain">${grainWords(grainFor(timeline.seconds))}</span></p>`}</div>
${charted ? html`<noscript><p class="empty">Charts need scripts; the tables below hold the same figures.</p></noscript>` : html`<p class="empty">It lasted ${formatSecond(timeline.seconds, timeline.seconds)}: too short for charts. The tables below hold the figures.</p>`}
<div class="charts"${charted && html` tabindex="0" role="group" aria-label="Charts over time. Arrow keys move from second to second."`}>
<p class="readout" role="status" aria-live="polite"></p>
${charted && events > 0 && html`<figure class="strip script-only"><div class="plot" data-chart="strip" role="img" aria-label="Windows and events on the time axis; they are listed below."></div></figure>`}
${charts.map((chart) => chartView(chart, timeline.seconds))}
${podsView(timeline)}
</div>
${timeline.faults.length > 0 && faultsView(timeline)}
${tablesView(timeline)}
</div>`
}

function chartView(chart: Chart, seconds: number): Html {
  return html`<figure class="chart script-only"><figcaption><h4>${chart.title} <span class="unit">${chart.unit}${chart.log && ', logarithmic'}</span></h4>${chart.note !== '' && html`<p class="note">${chart.note}</p>`}</figcaption>
<div class="legend" data-legend="${chart.id}"></div>
<div class="plot" data-chart="${chart.id}" role="img" aria-label="${describeChart(chart, seconds)}"></div></figure>\n`
}

function podsView(timeline: Timeline): Html | false {
  const { pods, seconds } = timeline
  const charted = isCharted(timeline)
  if (pods.length === 0) return false
  const roles = [...new Set(pods.map(({ role }) => role))]
  return html`<div class="pods"><h4>Requests per pod <span class="unit">calls/s</span></h4>
<p class="note">By each pod’s own records${charted && '; pods of a role share one scale, and are hatched where not ready'}.</p>
${roles.map((role) => {
  const some = pods.filter((pod) => pod.role === role)
  const all = some.reduce((sum, { calls }) => sum + calls, 0)
  return html`<h5>${roleTitles[role]} <span class="unit">${formatNumber(all)} calls</span></h5>${some.map((pod) => podView(pod, pods.indexOf(pod), all, seconds, charted))}`
})}</div>`
}

function podView(pod: PodLine, index: number, all: number, seconds: number, charted: boolean): Html {
  const share = all === 0 ? 0 : (pod.calls / all) * 100
  return html`<figure class="pod"><figcaption><span class="pod-name" title="${pod.pod}">${pod.short}</span> <span class="how">${readyWords(pod, seconds)}</span> <span class="pod-calls"><b>${formatNumber(pod.calls, 6)}</b> calls, ${formatNumber(share)} %</span><span class="pod-now" data-now="pod-${index}"></span></figcaption>
${charted && html`<div class="plot script-only" data-chart="pod-${index}" role="img" aria-label="${describeChart(podChart(pod, index), seconds)}"></div>`}</figure>\n`
}

function readyWords({ readyFrom, readyUntil }: PodLine, seconds: number): string {
  if (readyFrom === null) return 'never ready'
  const from = readyFrom <= 0 ? 'the start' : formatSecond(readyFrom, seconds)
  if (readyUntil === null) return readyFrom <= 0 ? 'ready throughout' : `ready from ${from}`
  return `ready from ${from} to ${formatSecond(readyUntil, seconds)}`
}

function faultsView({ faults, seconds }: Timeline): Html {
  const rest = faults.length - listedFaults
  return html`<div class="events"><h4>What was done to the system</h4>
<ol class="faults">${faults.slice(0, listedFaults).map((fault) => faultView(fault, seconds))}</ol>
${rest > 0 && html`<p class="note">${rest} more stand in the table of events.</p>`}</div>`
}

function faultView(fault: TimelineFault, seconds: number): Html {
  const phase = (name: string, at: number | null): string =>
    at === null ? `never ${name}` : `${name} at ${formatSecond(at, seconds)}`
  return html`<li value="${fault.number}"><span class="tag">${fault.number}</span> <b>${fault.name}</b>${fault.pod !== null && html` <span class="pod-name">${fault.pod}</span>`}${fault.detail !== null && html` — ${fault.detail}`}
<span class="how">requested at ${formatSecond(fault.requested, seconds)}, ${phase('observed', fault.observed)}, ${phase('cleared', fault.cleared)}</span></li>`
}

function tablesView(timeline: Timeline): Html {
  return html`<details class="tables"><summary>The same figures as tables</summary>
${(timeline.windows.length > 0 || timeline.faults.length > 0) && eventsTable(timeline)}
${timeline.loads.map((load) => loadTable(load, timeline.seconds))}
${timeline.series.map((series) => {
  const groups = inGroups(series.points)
  return dataTable(
    series.name,
    [
      { title: 'time' },
      { title: `lowest, ${series.unit}`, figure: true },
      { title: `highest, ${series.unit}`, figure: true },
    ],
    groups.map((group) => {
      const values = group.flatMap(({ value }) => value ?? [])
      return [
        span(group, timeline.seconds),
        values.length === 0 ? 'none' : formatNumber(Math.min(...values)),
        values.length === 0 ? 'none' : formatNumber(Math.max(...values)),
      ]
    }),
  )
})}
${timeline.pods.length > 0 && podsTable(timeline)}
</details>`
}

function eventsTable({ windows, faults, seconds }: Timeline): Html {
  const rows = [
    ...windows.map(({ name, from, to }) => ({
      from,
      cells: ['window', name, formatSecond(from, seconds), '', formatSecond(to, seconds)],
    })),
    ...faults.map((fault) => ({
      from: fault.requested,
      cells: [
        `event ${fault.number}`,
        [fault.name, fault.pod, fault.detail].filter((part) => part !== null).join(', '),
        ...[fault.requested, fault.observed, fault.cleared].map((at) =>
          at === null ? 'never' : formatSecond(at, seconds),
        ),
      ],
    })),
  ]
  return dataTable(
    'Windows and events',
    [
      { title: 'kind' },
      { title: 'name' },
      { title: 'from', figure: true },
      { title: 'in effect', figure: true },
      { title: 'until', figure: true },
    ],
    rows.sort((a, b) => a.from - b.from).map(({ cells }) => cells),
  )
}

function loadTable({ name, points }: LoadLine, seconds: number): Html {
  const top = (group: readonly LoadPoint[], value: (point: LoadPoint) => number | null): number | null =>
    group.reduce<number | null>((best, point) => {
      const one = value(point)
      return one === null ? best : Math.max(best ?? one, one)
    }, null)
  const sum = (group: readonly LoadPoint[], value: (point: LoadPoint) => number): string =>
    formatNumber(
      group.reduce((total, point) => total + value(point), 0),
      9,
    )
  const groups = inGroups(points)
  const together = groups.some((group) => group.length > 1)
  const highest = together ? 'highest ' : ''
  return dataTable(
    `Load ${name}`,
    [
      'time',
      'planned',
      'sent',
      'completed',
      'failed',
      `${highest}open`,
      `${highest}p50`,
      `${highest}p99`,
      `${highest}lag`,
    ].map((title, index) => ({ title, figure: index > 0 })),
    groups.map((group) => [
      span(group, seconds),
      sum(group, ({ planned }) => planned),
      sum(group, ({ offered }) => offered),
      sum(group, ({ completed }) => completed),
      sum(group, ({ failed }) => failed),
      formatNumber(top(group, ({ open }) => open) ?? 0, 9),
      formatMs(top(group, ({ p50Ms }) => p50Ms)),
      formatMs(top(group, ({ p99Ms }) => p99Ms)),
      formatMs(top(group, ({ lagMs }) => lagMs)),
    ]),
  )
}

function podsTable({ pods, seconds }: Timeline): Html {
  const longest = pods.reduce(
    (best, pod) => (pod.points.length > best.length ? pod.points : best),
    pods[0]?.points ?? [],
  )
  const size = Math.max(1, Math.ceil(longest.length / maxRows))
  const rows = inGroups(longest).map((group, row) => [
    span(group, seconds),
    ...pods.map(({ points }) =>
      formatNumber(
        points.slice(row * size, (row + 1) * size).reduce((sum, { calls }) => sum + calls, 0),
        9,
      ),
    ),
  ])
  return dataTable(
    'Calls by pod',
    [{ title: 'time' }, ...pods.map(({ pod }) => ({ title: pod, figure: true }))],
    [...rows, ['all', ...pods.map(({ calls }) => formatNumber(calls, 9))]],
  )
}

/** Neighbouring points put together, so that a table has at most `maxRows` rows. */
function inGroups<Point>(points: readonly Point[]): readonly (readonly Point[])[] {
  const size = Math.max(1, Math.ceil(points.length / maxRows))
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) =>
    points.slice(index * size, (index + 1) * size),
  )
}

function span(group: readonly { readonly x: number }[], seconds: number): string {
  const from = (group[0]?.x ?? 0) - 0.5
  const to = (group.at(-1)?.x ?? 0) + 0.5
  return `${formatSecond(from, seconds)} – ${formatSecond(to, seconds)}`
}
