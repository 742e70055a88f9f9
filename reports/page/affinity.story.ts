// Stories of the affinity matrix: whole and broken, for three pods and for ten, and without a callback.

import { podNames, randomOf, sampleAffinity, sampleResults } from '../testing/sample.ts'
import { affinityView } from './affinity.view.ts'
import { html } from './html.ts'
import type { Stories, Story } from './story.ts'

const story = (matrix: Parameters<typeof affinityView>[0]): Story => ({
  results: sampleResults('pass'),
  body: html`<main class="page"><div>${affinityView(matrix)}</div></main>`,
})
const pods = (count: number): readonly string[] => podNames('component-server', count)

export const affinityStories = {
  whole: story(sampleAffinity(pods(3), randomOf(1))),
  broken: story(
    sampleAffinity(pods(3), randomOf(1), [
      [0, 2, 3],
      [1, 0, 1],
    ]),
  ),
  'ten pods': story(sampleAffinity(pods(10), randomOf(1), [[2, 7, 5]])),
  // A pod that opened no stream got a reply: it has a column, and no row. Columns stand in an order of their own.
  'a column without a row': story({
    rows: pods(2),
    columns: [...pods(3)].reverse(),
    counts: [
      [1, 0, 5],
      [0, 6, 0],
    ],
    crossed: null,
  }),
  empty: story({ rows: [], columns: [], counts: [], crossed: null }),
} satisfies Stories
