// One scenario: its verdict, checks, charts over time, affinity, load and figures.

import type { Figure, ScenarioResult } from '../../contracts/results.ts'
import { checksOf } from '../formats/summary.ts'
import { formatDurationMs, formatQuantity } from '../words.ts'
import { affinityView } from './affinity.view.ts'
import { timelineOf } from './browser/timeline.ts'
import { checksView } from './checks.view.ts'
import { honestyView } from './honesty.view.ts'
import { type Html, html } from './html.ts'
import { timelineView } from './timeline.view.ts'
import { badge, command, markClass } from './words.ts'

export function scenarioView(scenario: ScenarioResult, index: number): Html {
  const { ended } = scenario
  return html`<section class="scenario ${markClass(scenario.verdict)}" id="scenario-${index}" aria-labelledby="scenario-${index}-heading">
<header><h2 id="scenario-${index}-heading">${scenario.scenario}</h2>${badge(scenario.verdict)}
<p class="lead">${scenario.summary}</p>
<p class="facts">${checksOf(scenario.judgements)} checks · ${formatDurationMs((scenario.endedAt - scenario.startedAt) / 1_000)} · seed ${scenario.seed}</p>
<p class="replay"><span>Run it again</span> ${command(scenario.replay)}</p></header>
${ended !== undefined && html`<div class="ended" role="note"><p><b>${ended.kind === 'interrupted' ? 'It was interrupted.' : 'The harness broke.'}</b> What was measured until then is below.</p><pre>${ended.message}</pre></div>`}
<h3>Checks</h3>
${checksView(scenario)}
${scenario.figures.length > 0 && figuresView(scenario.figures)}
${timelineView(timelineOf(scenario), index)}
${scenario.affinity !== undefined && affinityView(scenario.affinity)}
${honestyView(scenario.loads)}
</section>\n`
}

function figuresView(figures: readonly Figure[]): Html {
  return html`<h3>Figures</h3><dl class="figures">${figures.map(
    ({ name, value, unit, note }) =>
      html`<div><dt>${name}</dt><dd>${typeof value === 'string' ? value : formatQuantity(value, unit ?? '')}</dd>${note !== undefined && html`<dd class="how">${note}</dd>`}</div>`,
  )}</dl>`
}
