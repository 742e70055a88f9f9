// Runs the specs of the page in one browser: launching it costs more than most of them.

import t from 'tap'
import { withBrowser } from '../testing/browser.ts'
import { affinitySpec } from './affinity.spec.ts'
import { pageSpec } from './page.spec.ts'
import { timelineSpec } from './timeline.spec.ts'
import { verdictSpec } from './verdict.spec.ts'

await withBrowser(t, async (open) => {
  await t.test('verdict', (t) => verdictSpec(t, open))
  await t.test('affinity', (t) => affinitySpec(t, open))
  await t.test('timeline', (t) => timelineSpec(t, open))
  await t.test('page', (t) => pageSpec(t, open))
})
