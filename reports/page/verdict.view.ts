// The top of the page: the verdict in words, then every reason for it with the command that runs it again.

import type { Results } from '../../contracts/results.ts'
import { verdictSentence } from '../formats/summary.ts'
import { type Reason, reasonsOf } from '../judge/verdict.ts'
import { capital, formatDurationMs, sentence } from '../words.ts'
import { type Html, html } from './html.ts'
import { badge, codeWords, command, icon, markClass } from './words.ts'

/** Reasons shown one by one; more stand in a list that opens. */
const shownReasons = 12
/** Counterexamples shown with a reason; more open on demand. */
const shownExamples = 3

const headlines = {
  PASS: 'The system holds.',
  FAIL: 'The system does not hold.',
  INVALID: 'This run proves nothing.',
} as const

export function verdictView(results: Results): Html {
  const reasons = reasonsOf(results)
  return html`<section class="verdict ${markClass(results.verdict)}" aria-labelledby="verdict-heading">
<p class="stamp">${icon(results.verdict)}<span>${results.verdict}</span></p>
<div>
<h1 id="verdict-heading">${headlines[results.verdict]}</h1>
<p class="lead">${verdictSentence(results)}</p>
<p class="facts">Suite <b>${results.suite}</b> · ${formatDurationMs(results.durationMs)} · <time datetime="${results.startedAt}">${timeWords(results.startedAt)}</time> · seed ${results.seed}</p>
</div>
</section>
${reasons.length > 0 && reasonsView(reasons, results)}`
}

function reasonsView(reasons: readonly Reason[], results: Results): Html {
  const rest = reasons.slice(shownReasons)
  const title = results.verdict === 'FAIL' ? 'What does not hold' : 'What could not be decided'
  return html`<section class="reasons" aria-labelledby="reasons-heading">
<h2 id="reasons-heading">${title}</h2>
<ol>${reasons.slice(0, shownReasons).map((reason) => reasonView(reason, results))}</ol>
${rest.length > 0 && html`<details><summary>${rest.length} more</summary><ol>${rest.map((reason) => reasonView(reason, results))}</ol></details>`}
</section>`
}

function reasonView(reason: Reason, results: Results): Html {
  const index = results.scenarios.findIndex(({ scenario }) => scenario === reason.scenario)
  return html`<li class="reason ${markClass(reason.verdict)}">
<p class="where">${badge(reason.verdict)} ${reason.scenario === undefined ? html`the suite as a whole` : html`<a href="#scenario-${index}">${reason.scenario}</a>`}${reason.name !== undefined && html` · <code>${reason.name}</code>`}</p>
<h3>${codeWords(capital(reason.claim))}</h3>
<p>${sentence(reason.reason)}</p>
${examplesView(reason.examples)}
<p class="replay"><span>Run it again</span> ${command(reason.replay)}</p>
</li>`
}

/** Counterexamples: the first few, the rest on demand. */
export function examplesView(examples: readonly string[]): Html | false {
  if (examples.length === 0) return false
  const list = (some: readonly string[]): Html =>
    html`<ul class="examples">${some.map((example) => html`<li><code>${example}</code></li>`)}</ul>`
  const rest = examples.slice(shownExamples)
  return html`${list(examples.slice(0, shownExamples))}${rest.length > 0 && html`<details class="more"><summary>${rest.length} more</summary>${list(rest)}</details>`}`
}

/** `31 January 2026, 14:25:01 UTC`. */
export function timeWords(rfc3339: string): string {
  const date = new Date(rfc3339)
  if (Number.isNaN(date.getTime())) return rfc3339
  const day = date.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  })
  return `${day}, ${date.toISOString().slice(11, 19)} UTC`
}
