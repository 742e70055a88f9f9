// Runs the specs of the page in one browser: launching it costs more than most of them.

import t from 'tap'
import { affinitySpec } from '../../reports/page/affinity.spec.ts'
import { pageSpec } from '../../reports/page/page.spec.ts'
import { timelineSpec } from '../../reports/page/timeline.spec.ts'
import { verdictSpec } from '../../reports/page/verdict.spec.ts'
import { withBrowser } from '../../reports/testing/browser.ts'

await withBrowser(t, async (open) => {
  await t.test('verdict', (t) => verdictSpec(t, open))
  await t.test('affinity', (t) => affinitySpec(t, open))
  await t.test('timeline', (t) => timelineSpec(t, open))
  await t.test('page', (t) => pageSpec(t, open))
})
