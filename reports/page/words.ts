// The page's own words: icons, badges, and what each term means.

import type { Verdict } from '../../contracts/exit-codes.ts'
import type { Profile } from '../../contracts/load.ts'
import type { EarlierResult } from '../formats/summary.ts'
import { formatDurationMs, formatNumber, plural } from '../words.ts'
import { type Html, html } from './html.ts'

/** What a mark says: the verdicts, and a target that nothing here measured. */
export type Mark = Verdict | 'not measured' | EarlierResult

const hollow = html`<circle cx="8" cy="8" r="6.8" class="hollow"/>`

const shapes: Readonly<Record<Mark, Html>> = {
  PASS: html`<circle cx="8" cy="8" r="7.5"/><path class="sign" d="M4.6 8.3l2.3 2.3 4.5-4.9"/>`,
  FAIL: html`<path d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z"/><path class="sign" d="M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2"/>`,
  INVALID: html`<path d="M8 .8l7.4 13.4H.6z"/><path class="sign" d="M8 5.6v4m0 2v.6"/>`,
  'not measured': html`${hollow}<path class="sign dark" d="M5 8h6"/>`,
  'met earlier': html`${hollow}<path class="sign dark" d="M4.9 8.3l2.1 2.1 4.2-4.6"/>`,
  'short earlier': html`${hollow}<path class="sign dark" d="M5.6 5.6l4.8 4.8m0-4.8l-4.8 4.8"/>`,
}

const classes: Readonly<Record<Mark, string>> = {
  PASS: 'pass',
  FAIL: 'fail',
  INVALID: 'invalid',
  'not measured': 'unmeasured',
  'met earlier': 'unmeasured',
  'short earlier': 'unmeasured',
}

/** The class that colours an element by a verdict. */
export function markClass(mark: Mark): string {
  return classes[mark]
}

/** A shape for each verdict, so that colour is never all that tells them apart. */
export function icon(mark: Mark): Html {
  return html`<svg class="icon ${classes[mark]}" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">${shapes[mark]}</svg>`
}

/** Shape and word. */
export function badge(mark: Mark): Html {
  return html`<span class="badge ${classes[mark]}">${icon(mark)}${mark}</span>`
}

/** A command with a button that copies it. The button shows only where scripts run. */
export function command(text: string): Html {
  return html`<span class="command"><code>${text}</code><button type="button" class="copy" hidden>Copy</button></span>`
}

/** Text in backticks as code; the rest as text. */
export function codeWords(text: string): Html {
  return html`${text.split(/(`[^`]+`)/).map((part) => (/^`[^`]+`$/.test(part) ? html`<code>${part.slice(1, -1)}</code>` : part))}`
}

/** A profile in words: `300 runs/s for 8 s`. */
export function profileWords(profile: Profile): string {
  switch (profile.kind) {
    case 'constant':
      return `${formatNumber(profile.rateRps)} runs/s for ${formatDurationMs(profile.durationMs)}`
    case 'steps': {
      const rates = profile.steps.map(({ rateRps }) => formatNumber(rateRps)).join(', ')
      const total = profile.steps.reduce((sum, { durationMs }) => sum + durationMs, 0)
      return `${rates} runs/s in steps over ${formatDurationMs(total)}`
    }
    case 'concurrent':
      return `${plural(profile.users, 'run')} always open for ${formatDurationMs(profile.durationMs)}`
    case 'burst':
      return `${plural(profile.count, 'run')}, at most ${formatNumber(profile.concurrency)} at a time`
  }
}

/** Terms of the report in the words of someone who reads one for the first time. */
export const glossary: readonly (readonly [term: string, meaning: string])[] = [
  ['PASS', 'Every check holds: each invariant was examined and each target was measured and reached.'],
  ['FAIL', 'At least one check does not hold: the system did something it must not, or missed a target.'],
  [
    'INVALID',
    'The measurement cannot be trusted, so it says nothing about the system: the load generator lagged, a fault did not take effect, or a check had too little to look at.',
  ],
  [
    'not measured, met earlier, short earlier',
    'A target that no scenario of this suite measures; where a benchmark did so before, its figure. It is shown, and does not judge.',
  ],
  ['scenario', 'One experiment: a load, what is done to the system meanwhile, and what must hold.'],
  [
    'check',
    'Something that must hold: an invariant (a rule that no run may break) or a target (a figure to reach).',
  ],
  ['run', 'One execution of a workflow, from the request to its result.'],
  ['pod', 'One process of the system: a Kubernetes pod, or on one machine a process that behaves as one.'],
  [
    'component server, balancer, runtime',
    'The three roles: component servers do the work of a step, balancers spread requests over them, and the runtime executes workflows.',
  ],
  ['stream', 'The answer to a call that stays open (server-sent events), so that the pod can ask back.'],
  [
    'callback',
    'A request that a pod sends back inside its stream. The reply must reach that same pod, by whichever balancer it comes.',
  ],
  ['affinity', 'The rule that a callback’s reply reaches the pod that opened the stream, and no other.'],
  [
    'latency',
    'Time from the planned start of a run to the last byte of its answer. Counting from the plan, not from the moment of sending, keeps a slow system from hiding its own queue.',
  ],
  ['p50, p95, p99', 'The time within which 50, 95 or 99 of 100 runs were answered. p50 is the typical run.'],
  ['open runs', 'Runs that were sent and are not answered yet.'],
  [
    'planned, offered, dropped',
    'What the load’s plan asked for, what was sent, and what was not sent because too much was open already.',
  ],
  [
    'lag',
    'How much later than planned the load generator itself sent. A generator that lags measures itself.',
  ],
  [
    'requested, observed, cleared',
    'When a fault was asked for, when it was seen to be in effect, and when it was seen to be gone.',
  ],
  ['Jain’s index', 'A measure of even sharing: 1 is perfectly even, 1/n is everything on one of n pods.'],
  ['seed', 'The number behind every random choice: the same seed makes the same choices again.'],
]
