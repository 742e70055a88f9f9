// The charts over time in a browser: drawn, read by pointer and by keyboard, zoomed, and never the only source.

import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Open } from '../testing/browser.ts'
import { storyPage } from './story.ts'
import { timelineStories } from './timeline.story.ts'

/** Resolves once the browser has painted what was asked of it. */
function painting(page: Page): Promise<void> {
  return page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  )
}

/** For each chart the share of its pixels that are painted, 0 to 1. */
function painted(page: Page): Promise<Record<string, number>> {
  return page.evaluate(() => {
    const shares: Record<string, number> = {}
    for (const place of document.querySelectorAll<HTMLElement>('[data-chart]')) {
      const canvas = place.querySelector('canvas')
      const data =
        canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ??
        new Uint8ClampedArray(4)
      let count = 0
      for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 0) > 0) count += 1
      shares[place.dataset['chart'] ?? ''] = count / (data.length / 4)
    }
    return shares
  })
}

/** How many pixels of the canvas of `chart` have exactly this colour. */
function pixelsOf(page: Page, chart: string, variable: string): Promise<number> {
  return page.evaluate(
    ([name, colour]) => {
      const wanted = getComputedStyle(document.documentElement).getPropertyValue(`--${colour}`).trim()
      const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(wanted.slice(at, at + 2), 16))
      const canvas = document.querySelector<HTMLCanvasElement>(`[data-chart="${name}"] canvas`)
      const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
      let count = 0
      for (let at = 0; at < data.length; at += 4) {
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) count += 1
      }
      return count
    },
    [chart, variable] as const,
  )
}

/** Run by browser.test.ts. */
export async function timelineSpec(t: Test, open: Open): Promise<void> {
  await t.test('draws every chart, with the fault marked on each', async (t) => {
    const { page, problems } = await open(storyPage('kill', timelineStories.kill))
    const shares = await painted(page)
    t.strictSame(Object.keys(shares), [
      'strip',
      'latency',
      'rate',
      'open',
      'pod-0',
      'pod-1',
      'pod-2',
      'pod-3',
    ])
    for (const [chart, share] of Object.entries(shares)) t.ok(share > 0.02, `${chart} is drawn: ${share}`)
    for (const chart of Object.keys(shares))
      t.ok((await pixelsOf(page, chart, 'fault-ink')) > 20, `${chart} shows the kill`)
    t.ok((await pixelsOf(page, 'rate', 'fail')) > 20, 'failed runs are red')
    t.match(
      await page.locator('.faults').textContent(),
      /kill component-server-\S+ — SIGKILL with 23 streams open[\s\S]*requested at 4\.2 s, observed at 4\.21 s, cleared at 5\.6 s/,
    )
    t.match(await page.locator('.timeline').textContent(), /From the planned start of a run to the last byte/)
    // Reading pixels back is this test's own doing.
    t.strictSame(
      problems.filter((problem) => !problem.includes('willReadFrequently')),
      [],
    )
  })

  await t.test('plots stand below each other, so that a time is at one place in all of them', async (t) => {
    const { page } = await open(storyPage('kill', timelineStories.kill))
    const edges = await page.evaluate(() =>
      [...document.querySelectorAll('.u-over')].map((over) => {
        const { left, right } = over.getBoundingClientRect()
        return `${Math.round(left)} ${Math.round(right)}`
      }),
    )
    t.equal(edges.length, 8)
    t.equal(new Set(edges).size, 1, [...new Set(edges)].join(' | '))
  })

  await t.test('a window that begins on a line of the grid is still marked', async (t) => {
    const { page } = await open(storyPage('five', timelineStories['five seconds']))
    for (const chart of ['latency', 'rate', 'open', 'pod-0']) {
      const marked = await page.evaluate((name) => {
        const place = document.querySelector(`[data-chart="${name}"]`)
        const canvas = place?.querySelector('canvas')
        const over = place?.querySelector('.u-over')
        if (canvas === null || canvas === undefined || over === null || over === undefined) return 0
        const [box, plot] = [canvas.getBoundingClientRect(), over.getBoundingClientRect()]
        const muted = getComputedStyle(document.documentElement).getPropertyValue('--muted').trim()
        // The axis is 5.2 s long, and the second window begins at 1 s.
        const x = Math.round(plot.left - box.left + plot.width / 5.2)
        const data =
          canvas.getContext('2d')?.getImageData(x - 2, plot.top - box.top, 5, plot.height).data ?? []
        let count = 0
        for (let at = 0; at < data.length; at += 4) {
          const hex = [0, 1, 2].map((part) => (data[at + part] ?? 0).toString(16).padStart(2, '0')).join('')
          if (`#${hex}` === muted) count += 1
        }
        return count
      }, chart)
      t.ok(marked >= 5, `${chart}: ${marked} dots`)
    }
  })

  await t.test('pointing at one chart reads that second in all', async (t) => {
    const { page } = await open(storyPage('kill', timelineStories.kill))
    const plot = page.locator('[data-chart="latency"] .u-over')
    const box = (await plot.boundingBox())!
    await plot.hover({ position: { x: box.width * 0.47, y: 30 } })
    const legend = (id: string) => page.locator(`[data-legend="${id}"]`).textContent()
    t.match(await legend('latency'), /p50\s*\d+ ms\s*p99\s*\d+ ms/)
    t.match(await legend('rate'), /planned\s*66 runs\/s\s*completed\s*44 runs\/s\s*failed\s*22 runs\/s/)
    t.match(await page.locator('[data-now="pod-0"]').textContent(), /3\d calls\/s/)
    const cursors = await page
      .locator('.u-cursor-x')
      .evaluateAll((lines) => lines.map((line) => (line as HTMLElement).style.transform))
    t.equal(cursors.length, 8)
    t.equal(new Set(cursors).size, 1, 'one cursor line through all charts')
    await page.mouse.move(2, 2)
    t.notMatch(await legend('latency'), /ms/)
  })

  await t.test('the keyboard reads second by second, and zooms', async (t) => {
    const { page } = await open(storyPage('kill', timelineStories.kill))
    await page.locator('.charts').focus()
    for (let press = 0; press < 5; press += 1) await page.keyboard.press('ArrowRight')
    const readout = page.locator('.readout')
    await t.resolves(
      page.waitForFunction(() =>
        document.querySelector('.readout')?.textContent?.startsWith('4.5 s, fault, kill of'),
      ),
    )
    t.match(
      await readout.textContent(),
      /p50 \d+ ms, p99 \d+ ms, planned 66 runs\/s, completed 44 runs\/s, failed 22 runs\/s, open \d+ runs$/,
    )
    await page.keyboard.press('End')
    await t.resolves(
      page.waitForFunction(() =>
        document.querySelector('.readout')?.textContent?.startsWith('9.5 s, recovery'),
      ),
    )
    const before = await page.locator('[data-chart="latency"] canvas').screenshot()
    await page.keyboard.press('+')
    await painting(page)
    t.notSame(await page.locator('[data-chart="latency"] canvas').screenshot(), before, 'zoomed in')
    await page.keyboard.press('Escape')
    await page.keyboard.press('End')
    await painting(page)
    t.same(await page.locator('[data-chart="latency"] canvas').screenshot(), before, 'and out again')
  })

  await t.test('an hour is drawn coarsely, and in single seconds once zoomed in', async (t) => {
    const { page, problems } = await open(storyPage('hour', timelineStories['an hour']))
    t.match(await page.locator('.grain').textContent(), /One point stands for 10 s/)
    const plot = page.locator('[data-chart="open"] .u-over')
    await plot.scrollIntoViewIfNeeded()
    const box = (await plot.boundingBox())!
    await page.mouse.move(box.x + box.width * 0.3, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.35, box.y + 40, { steps: 4 })
    await page.mouse.up()
    await page.waitForFunction(() => document.querySelector('.grain')?.textContent === '')
    t.pass('single seconds')
    await page.mouse.dblclick(box.x + box.width * 0.5, box.y + 40)
    await page.waitForFunction(() => document.querySelector('.grain')?.textContent?.includes('10 s'))
    t.strictSame(problems, [])
  })

  await t.test('the tables behind the charts hold every fault, window, load and pod', async (t) => {
    const { page } = await open(storyPage('hour', timelineStories['an hour']))
    await page.getByText('The same figures as tables').click()
    t.strictSame(await page.locator('.tables caption').allTextContents(), [
      'Windows and events',
      'Load mixed',
      'Calls by pod',
    ])
    t.equal(await page.locator('.tables table').first().locator('tbody tr').count(), 18)
    const rows = await page.locator('.tables table').nth(1).locator('tbody tr').count()
    t.ok(rows > 60 && rows <= 120, `${rows} rows`)
    t.equal(await page.locator('.faults li').count(), 12)
    t.match(await page.locator('.events .note').textContent(), /^2 more/)
  })

  await t.test('too short for charts, or nothing measured: says so', async (t) => {
    const short = await open(storyPage('a second', timelineStories['a second']))
    t.match(await short.page.locator('.timeline').textContent(), /too short for charts/)
    t.equal(await short.page.locator('canvas').count(), 0)
    const nothing = await open(storyPage('nothing', timelineStories['nothing measured']))
    t.match(await nothing.page.locator('main').textContent(), /Nothing was measured over time/)
  })

  await t.test('a change of theme and a print are drawn anew, in their colours', async (t) => {
    const { page } = await open(storyPage('kill', timelineStories.kill), {
      colorScheme: 'light',
    })
    const line = () => pixelsOf(page, 'open', 'line-3')
    t.ok((await line()) > 100, 'light')
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.waitForFunction(() => getComputedStyle(document.body).backgroundColor === 'rgb(18, 22, 28)')
    await painting(page)
    t.ok((await line()) > 100, 'dark')
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')))
    await painting(page)
    t.equal(
      await page.evaluate(() =>
        getComputedStyle(document.documentElement).getPropertyValue('--paper').trim(),
      ),
      '#ffffff',
    )
    t.ok((await line()) > 100, 'paper')
    t.equal(await page.evaluate(() => document.querySelector('.uplot')?.clientWidth), 660)
    await page.evaluate(() => dispatchEvent(new Event('afterprint')))
    t.not(await page.evaluate(() => document.querySelector('.uplot')?.clientWidth), 660)
  })
}
