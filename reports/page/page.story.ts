// Stories of the whole page: each verdict, an hour, and texts that attack it.

import type { Results } from '../../contracts/results.ts'
import { verdictOf } from '../judge/verdict.ts'
import { hostile } from '../testing/hostile.ts'
import { sampleResults, sampleSuite } from '../testing/sample.ts'
import { pageView } from './page.view.ts'
import type { Stories, Story } from './story.ts'
import { soakScenario } from './timeline.story.ts'

const story = (results: Results): Story => ({ results, body: pageView(results) })
const soak = soakScenario()

export const pageStories = {
  pass: story(sampleResults('pass')),
  fail: story(sampleResults('fail')),
  invalid: story(sampleResults('invalid')),
  interrupted: story(sampleResults('interrupted')),
  broken: story(sampleResults('broken')),
  soak: story(sampleSuite([{ ...soak, verdict: verdictOf(soak.judgements) }], { suite: 'soak' })),
  hostile: story(hostile(sampleResults('fail'))),
} satisfies Stories
