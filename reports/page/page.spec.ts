// The whole page in a browser: offline, without an error, on every width, in light and dark, under attack.

import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { renderJunit } from '../formats/junit.ts'
import type { Open } from '../testing/browser.ts'
import { hostile } from '../testing/hostile.ts'
import { sampleResults } from '../testing/sample.ts'
import { html, raw } from './html.ts'
import { pageStories } from './page.story.ts'
import { storyPage } from './story.ts'

type Window = { pwned?: number }

/** Texts with less contrast to what is behind them than WCAG 2.2 AA asks for (4.5, or 3 for large text). */
function paleTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!
    const known = new Map<string, number[]>()
    const rgba = (colour: string): number[] => {
      const before = known.get(colour)
      if (before !== undefined) return before
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = colour
      canvas.fillRect(0, 0, 1, 1)
      const parts = [...canvas.getImageData(0, 0, 1, 1).data]
      known.set(colour, parts)
      return parts
    }
    const luminance = (colour: number[]): number => {
      const [red = 0, green = 0, blue = 0] = colour.slice(0, 3).map((part) => {
        const share = part / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    const grounds = new Map<Element | null, number[]>([[null, [255, 255, 255, 255]]])
    const behind = (element: Element | null): number[] => {
      const before = grounds.get(element)
      if (before !== undefined || element === null) return before ?? []
      const colour = rgba(getComputedStyle(element).backgroundColor)
      const ground = colour[3] === 255 ? colour : behind(element.parentElement)
      grounds.set(element, ground)
      return ground
    }
    const pale = new Set<string>()
    for (const element of document.querySelectorAll<HTMLElement>('main *, nav *')) {
      const own = [...element.childNodes].some(
        (node) => node.nodeType === 3 && node.textContent?.trim() !== '',
      )
      if (!own || !element.checkVisibility()) continue
      const style = getComputedStyle(element)
      const [a, b] = [luminance(rgba(style.color)), luminance(behind(element))]
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      const large = Number.parseFloat(style.fontSize) >= 24
      if (contrast < (large ? 3 : 4.5)) {
        pale.add(
          `${element.tagName}.${element.className} ${contrast.toFixed(2)}: ${element.textContent?.slice(0, 30)}`,
        )
      }
    }
    return [...pale]
  })
}

/** What a screen reader or a keyboard would stumble over. */
function structureProblems(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const problems: string[] = []
    const all = <T extends Element>(selector: string): T[] => [...document.querySelectorAll<T>(selector)]
    const ids = all('[id]').map(({ id }) => id)
    problems.push(...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `id twice: ${id}`))
    for (const link of all('a[href]')) {
      const target = link.getAttribute('href') ?? ''
      if (!target.startsWith('#') || document.getElementById(target.slice(1)) === null)
        problems.push(`dead link: ${target}`)
      if (link.textContent?.trim() === '') problems.push(`empty link: ${target}`)
    }
    for (const one of all('[aria-labelledby]')) {
      if (document.getElementById(one.getAttribute('aria-labelledby') ?? '') === null)
        problems.push(`no label: ${one.className}`)
    }
    for (const one of all('[role="img"]')) {
      if ((one.getAttribute('aria-label') ?? '').length < 10)
        problems.push(`no words: ${one.outerHTML.slice(0, 80)}`)
    }
    for (const one of all('table'))
      if (one.querySelector('caption') === null) problems.push('a table without a caption')
    for (const one of all('button'))
      if ((one.textContent ?? '').trim() === '') problems.push('a button without words')
    for (const one of all<HTMLElement>('.scroll'))
      if (one.tabIndex !== 0) problems.push('a scrolling box out of reach of keys')
    let level = 0
    for (const heading of all('h1, h2, h3, h4, h5')) {
      const next = Number(heading.tagName.slice(1))
      if (next > level + 1) problems.push(`h${level} is followed by h${next}: ${heading.textContent}`)
      level = next
    }
    if (all('h1').length !== 1) problems.push('not one h1')
    if (document.documentElement.lang !== 'en') problems.push('no language')
    return problems
  })
}

/** Run by browser.test.ts. */
export async function pageSpec(t: Test, open: Open): Promise<void> {
  for (const name of ['fail', 'broken', 'soak', 'hostile'] as const) {
    await t.test(
      `${name}: opens from a file without an error or a request, and fits every width`,
      async (t) => {
        const { page, problems } = await open(storyPage(name, pageStories[name]), {
          offline: true,
        })
        t.ok((await page.locator('canvas').count()) > 0, 'charts are drawn')
        for (const width of [1_440, 390, 320]) {
          await page.setViewportSize({ width, height: 800 })
          await page.waitForFunction((want) => document.documentElement.clientWidth === want, width)
          const wide = await page.evaluate(() => document.documentElement.scrollWidth)
          t.ok(wide <= width, `${width} px wide: ${wide}`)
        }
        t.strictSame(await structureProblems(page), [])
        t.strictSame(problems, [])
        t.equal(await page.evaluate(() => (window as Window).pwned), undefined, 'no text was run')
      },
    )
  }

  await t.test('every text has enough contrast, light and dark', async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const name of ['fail', 'interrupted'] as const) {
        const { page } = await open(storyPage(name, pageStories[name]), { colorScheme })
        await page.evaluate(() => {
          for (const one of document.querySelectorAll('details')) one.open = true
        })
        t.strictSame(await paleTexts(page), [], `${name}, ${colorScheme}`)
      }
    }
  })

  await t.test('without scripts every figure is still there', async (t) => {
    const { page } = await open(storyPage('fail', pageStories.fail), {
      javaScriptEnabled: false,
    })
    const text = (await page.locator('main').textContent()) ?? ''
    for (const part of [
      'The system does not hold',
      'npx zx scenarios/affinity.mjs',
      'Charts need scripts',
      'Windows and events',
      'p99',
    ]) {
      t.ok(text.includes(part), part)
    }
    t.equal(await page.locator('button:visible, .plot:visible').count(), 0, 'nothing that does not work')
  })

  await t.test('the policy refuses a script that got into the page all the same', async (t) => {
    const body = html`${pageStories.pass.body}${raw('<script>window.pwned=1</script><img src="x" onerror="window.pwned=1">')}`
    const { page, problems } = await open(storyPage('planted', { ...pageStories.pass, body }))
    t.equal(await page.evaluate(() => (window as Window).pwned), undefined)
    t.ok(
      problems.some((problem) => /Content Security Policy/.test(problem)),
      'and the test would have seen it',
    )
  })

  await t.test('results.json can be saved from the page', async (t) => {
    const { page } = await open(storyPage('hostile', pageStories.hostile))
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: /Save results\.json/ }).click(),
    ])
    t.equal(download.suggestedFilename(), 'results.json')
    const saved = JSON.parse(await readFile(await download.path(), 'utf8'))
    t.strictSame(saved, JSON.parse(JSON.stringify(pageStories.hostile.results)))
  })

  await t.test('junit.xml is read by a real XML parser', async (t) => {
    const { page } = await open(storyPage('pass', pageStories.pass))
    for (const results of [sampleResults('fail'), hostile(sampleResults('fail'))]) {
      const counts = await page.evaluate((text) => {
        const parsed = new DOMParser().parseFromString(text, 'application/xml')
        return ['parsererror', 'testcase', 'failure', 'script'].map(
          (name) => parsed.getElementsByTagName(name).length,
        )
      }, renderJunit(results))
      t.strictSame(counts, [0, 26, 4, 0])
    }
  })
}
