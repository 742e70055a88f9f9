// What a scenario judged: each check with its outcome, what it looked at and why it came out so.

import type { Judgement, ScenarioResult } from '../../contracts/results.ts'
import { resultWords } from '../formats/summary.ts'
import { outcomeOf } from '../judge/verdict.ts'
import { capital, formatNumber, sentence } from '../words.ts'
import { type Html, html } from './html.ts'
import { cardTable } from './table.view.ts'
import { examplesView } from './verdict.view.ts'
import { badge, codeWords, markClass } from './words.ts'

export function checksView(scenario: ScenarioResult): Html {
  if (scenario.judgements.length === 0) return html`<p class="empty">Nothing was judged.</p>`
  return cardTable(
    `Checks of ${scenario.scenario}`,
    [{ title: 'Result' }, { title: 'What must hold' }, { title: 'Looked at', figure: true }],
    scenario.judgements.map((judgement) => {
      const result = resultWords[outcomeOf(judgement)]
      const examined = judgement.kind === 'checker' ? judgement.examined : judgement.samples
      return {
        mark: markClass(result),
        cells: [
          badge(result),
          html`<span class="claim">${codeWords(capital(judgement.claim))} <code>${judgement.name}</code></span><span class="how">${sentence(judgement.reason)}</span>${examplesOf(judgement)}`,
          examined === undefined ? false : formatNumber(examined),
        ],
      }
    }),
  )
}

function examplesOf(judgement: Judgement): Html | false {
  return judgement.kind === 'checker' && examplesView(judgement.examples ?? [])
}
