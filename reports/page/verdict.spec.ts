// The top of the page in a browser.

import type { Test } from 'tap'
import type { Open } from '../testing/browser.ts'
import { storyPage } from './story.ts'
import { verdictStories } from './verdict.story.ts'

/** Run by browser.test.ts. */
export async function verdictSpec(t: Test, open: Open): Promise<void> {
  await t.test('says the verdict in words before anything else', async (t) => {
    const headings = {
      pass: ['The system holds.', /All 25 checks in 6 scenarios hold\./],
      fail: ['The system does not hold.', /4 of 25 checks .*: in affinity, overhead and kill-mid-sse\./],
      invalid: ['This run proves nothing.', /1 of 25 checks .* could not be decided: in throughput\./],
      interrupted: ['This run proves nothing.', /^Interrupted/],
      broken: ['This run proves nothing.', /^The harness broke/],
      'nothing run': ['This run proves nothing.', /Nothing was judged/],
    } as const
    for (const [name, [heading, lead]] of Object.entries(headings)) {
      const { page, problems } = await open(storyPage(name, verdictStories[name as keyof typeof headings]))
      t.equal(await page.locator('h1').textContent(), heading, name)
      t.match(await page.locator('.lead').textContent(), lead)
      t.strictSame(problems, [])
    }
  })

  await t.test('shows each reason with its counterexamples and a command that can be copied', async (t) => {
    const { page } = await open(storyPage('fail', verdictStories.fail), {
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    t.equal(await page.locator('.reason').count(), 4)
    const reason = page.locator('.reason').nth(3)
    t.match(await reason.textContent(), /kill-mid-sse[\s\S]*Every run comes to an end[\s\S]*run 0193-d0/)
    await reason.getByRole('button', { name: /Copy npx zx/ }).click()
    await reason.getByText('Copied').waitFor()
    t.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      'npx zx scenarios/kill-mid-sse.mjs --seed 421337',
    )
  })

  await t.test('keeps a long list of reasons closed, but all of it there', async (t) => {
    const { page } = await open(storyPage('many', verdictStories['many reasons']))
    t.equal(await page.locator('.reason:visible').count(), 12)
    await page.getByText('28 more').click()
    t.equal(await page.locator('.reason:visible').count(), 40)
  })
}
