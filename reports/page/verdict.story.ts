// Stories of the top of the page: each verdict, and more reasons than a page should show at once.

import type { Results } from '../../contracts/results.ts'
import { sampleResults, sampleSuite } from '../testing/sample.ts'
import { html } from './html.ts'
import type { Stories, Story } from './story.ts'
import { verdictView } from './verdict.view.ts'

const story = (results: Results): Story => ({
  results,
  body: html`<main class="page"><div>${verdictView(results)}</div></main>`,
})

const failed = sampleResults('fail').scenarios[1]!

export const verdictStories = {
  pass: story(sampleResults('pass')),
  fail: story(sampleResults('fail')),
  invalid: story(sampleResults('invalid')),
  interrupted: story(sampleResults('interrupted')),
  broken: story(sampleResults('broken')),
  'many reasons': story(sampleSuite(Array.from({ length: 40 }, () => failed))),
  'nothing run': story(sampleSuite([])),
} satisfies Stories
