// The whole page: verdict first, then scenarios and targets at a glance, each scenario, environment, glossary.

import type { Results } from '../../contracts/results.ts'
import { scenarioRows } from '../formats/summary.ts'
import { type Html, html } from './html.ts'
import { scenarioView } from './scenario.view.ts'
import { cardTable, dataTable } from './table.view.ts'
import { thresholdsView } from './thresholds.view.ts'
import { timeWords, verdictView } from './verdict.view.ts'
import { badge, command, glossary, icon, markClass } from './words.ts'

/** What stands between <body> and </body>, without scripts. */
export function pageView(results: Results): Html {
  return html`<a class="skip" href="#main">Skip to the verdict</a>
<div class="page">
<nav class="contents" aria-label="Contents"><p class="brand">Stepflow Gauntlet</p>
<ul><li><a href="#main">Verdict</a></li><li><a href="#scenarios">Scenarios</a></li><li><a href="#targets">Targets</a></li>
${results.scenarios.map(({ scenario, verdict }, index) => html`<li class="sub"><a href="#scenario-${index}">${icon(verdict)}${scenario}<span class="hidden"> ${verdict}</span></a></li>`)}
<li><a href="#environment">Environment</a></li><li><a href="#glossary">Glossary</a></li></ul></nav>
<main id="main" tabindex="-1">
${verdictView(results)}
${scenariosView(results)}
${thresholdsView(results)}
${results.scenarios.map(scenarioView)}
${environmentView(results)}
${glossaryView()}
<footer><p>Made by Stepflow Gauntlet. This file needs no network; <code>results.json</code> beside it holds every figure, and <code>node reports/cli.ts verify results.json</code> works the verdict out again.</p>
<p><button type="button" class="save" hidden>Save results.json from this page</button></p></footer>
</main></div>`
}

function scenariosView(results: Results): Html | false {
  if (results.scenarios.length === 0) return false
  const rows = scenarioRows(results)
  return html`<section id="scenarios" aria-labelledby="scenarios-heading"><h2 id="scenarios-heading">Scenarios</h2>
${cardTable(
  'Scenarios of this suite',
  [
    { title: 'Verdict' },
    { title: 'Scenario' },
    { title: 'Checks', figure: true },
    { title: 'Runs', figure: true },
    { title: 'Failed', figure: true },
    { title: 'p50', figure: true },
    { title: 'p99', figure: true },
    { title: 'Time', figure: true },
  ],
  rows.map((row, index) => ({
    mark: markClass(row.verdict),
    cells: [
      badge(row.verdict),
      html`<a class="claim" href="#scenario-${index}">${row.scenario}</a><span class="how">${results.scenarios[index]?.summary}</span>`,
      row.checks,
      row.runs,
      row.failed,
      row.p50,
      row.p99,
      row.time,
    ],
  })),
)}</section>`
}

function environmentView(results: Results): Html {
  const { environment } = results
  const gibibytes = Math.round((environment.memoryBytes / 1_073_741_824) * 10) / 10
  const rows: readonly (readonly [string, string | Html])[] = [
    ['command', command(results.command)],
    ['started', timeWords(results.startedAt)],
    ['seed', String(results.seed)],
    ['cluster', environment.cluster],
    ...Object.entries(environment.clusterDescription),
    ['machine', `${environment.cpuModel}, ${environment.cpus} cores, ${gibibytes} GiB`],
    ['platform', environment.platform],
    ['Node', environment.node],
    ['commit', environment.commit ?? 'unknown'],
    ['load engine', environment.engine],
    ...Object.entries(environment.tools),
  ]
  return html`<section id="environment" aria-labelledby="environment-heading"><h2 id="environment-heading">Environment</h2>
${dataTable('Where this was measured', [{ title: 'what' }, { title: 'value' }], rows, { wrapped: true })}</section>`
}

function glossaryView(): Html {
  return html`<section id="glossary" aria-labelledby="glossary-heading"><h2 id="glossary-heading">Glossary</h2>
<dl class="glossary">${glossary.map(([term, meaning]) => html`<div><dt>${term}</dt><dd>${meaning}</dd></div>`)}</dl></section>`
}
