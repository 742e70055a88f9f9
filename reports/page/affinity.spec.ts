// The affinity matrix in a browser.

import type { Test } from 'tap'
import type { Open } from '../testing/browser.ts'
import { affinityStories } from './affinity.story.ts'
import { storyPage } from './story.ts'

/** Run by browser.test.ts. */
export async function affinitySpec(t: Test, open: Open): Promise<void> {
  await t.test('a whole matrix is full on its diagonal only', async (t) => {
    const { page, problems } = await open(storyPage('whole', affinityStories.whole))
    t.match(
      await page.locator('.affinity-result').textContent(),
      /All 1,\d+ callbacks came back to the pod that opened/,
    )
    t.equal(await page.locator('.own').count(), 3)
    t.equal(await page.locator('.stray').count(), 0)
    t.strictSame(problems, [])
  })

  await t.test('a stray callback stands out by colour, sign and words', async (t) => {
    const { page } = await open(storyPage('broken', affinityStories.broken))
    t.match(
      await page.locator('.affinity-result').textContent(),
      /4 callbacks of 1,\d+ reached a pod that did not open/,
    )
    const stray = page.locator('.stray').first()
    t.match(await stray.textContent(), /✕\s*3 to a foreign pod/)
    t.equal(await stray.evaluate((cell) => getComputedStyle(cell).backgroundColor), 'rgb(179, 38, 30)')
    t.equal(await page.getByRole('row', { name: /x2x8q/ }).locator('.stray').count(), 1)
  })

  await t.test(
    'ten pods scroll within the matrix, not the page, and keep their names in sight',
    async (t) => {
      const { page } = await open(storyPage('ten', affinityStories['ten pods']), {
        viewport: { width: 390, height: 800 },
      })
      t.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
      const box = page.locator('.scroll')
      await box.evaluate((element) => element.scrollTo(1_000, 0))
      t.ok(await box.evaluate((element) => element.scrollLeft > 50))
      const name = await page.locator('.matrix tbody th').first().boundingBox()
      t.ok((name?.x ?? -1) >= 0)
      t.equal(await page.locator('.stray').count(), 1)
    },
  )

  await t.test(
    'a reply to a pod that opened no stream is a stray too; no callback is no proof',
    async (t) => {
      const columns = await open(storyPage('column', affinityStories['a column without a row']))
      t.match(await columns.page.locator('.affinity-result').textContent(), /1 callback of 12 reached a pod/)
      t.strictSame(await columns.page.locator('.own').allTextContents(), ['5', '6'])
      const empty = await open(storyPage('empty', affinityStories.empty))
      t.match(await empty.page.locator('.affinity-result').textContent(), /No callback was recorded/)
      t.equal(await empty.page.locator('.affinity-result .icon.invalid').count(), 1)
    },
  )
}
