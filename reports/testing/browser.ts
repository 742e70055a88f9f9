// A real Chromium for tests of the page: found on this machine, or the test says why it does not run.

import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

/** Names a Chromium goes by; CHROMIUM names another. */
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** No first-run pages, no updates, no calls home: a test's browser opens the page and nothing else. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Where Chromium is; null: nowhere. */
function findChromium(env: NodeJS.ProcessEnv): string | null {
  const folders = (env['PATH'] ?? '').split(delimiter)
  const candidates = [
    env['CHROMIUM'] ?? '',
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
  ]
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK)
      if (candidate !== '') return candidate
    } catch {
      // Not this one.
    }
  }
  return null
}

/** A page opened from a file, with everything it should not have done. */
export interface OpenedPage {
  readonly page: Page
  /** Errors and warnings of the console, uncaught errors, and every request but the one for the file. */
  readonly problems: readonly string[]
}

/** Writes `text` to a file and opens it, as a user would by a double click. One page for each set of options. */
export type Open = (text: string, options?: BrowserContextOptions) => Promise<OpenedPage>

/**
 * Runs `tests` with a browser. Without one the test is skipped with the reason, or fails where REQUIRE names
 * `chromium`.
 */
export async function withBrowser(t: Test, tests: (open: Open) => Promise<unknown>): Promise<void> {
  const executablePath = findChromium(process.env)
  if (executablePath === null) {
    const required = (process.env['REQUIRE'] ?? '').split(',').includes('chromium')
    const reason = 'no Chromium on the PATH; install one or name it in CHROMIUM'
    if (required) t.fail(`REQUIRE=chromium: ${reason}`)
    else t.pass(reason, { skip: reason })
    return
  }
  const folder = t.testdir()
  const browser = await chromium.launch({ executablePath, args: quiet })
  try {
    await tests(opener(browser, folder))
  } finally {
    await browser.close()
  }
}

const viewport = { width: 1_280, height: 800 }

function opener(browser: Browser, folder: string): Open {
  const pages = new Map<string, { readonly page: Page; problems: string[]; url: string }>()
  let files = 0
  return async (text, options = {}) => {
    const file = join(folder, `${(files += 1)}.html`)
    await writeFile(file, text)
    const key = JSON.stringify(options)
    let opened = pages.get(key)
    if (opened === undefined) {
      const context = await browser.newContext({ viewport, ...options })
      opened = { page: await context.newPage(), problems: [], url: '' }
      pages.set(key, opened)
      listen(opened)
    }
    opened.problems = []
    opened.url = pathToFileURL(file).href
    await opened.page.setViewportSize(options.viewport ?? viewport)
    await opened.page.mouse.move(0, 0)
    await opened.page.goto(opened.url)
    return { page: opened.page, problems: opened.problems }
  }
}

function listen(opened: { readonly page: Page; problems: string[]; url: string }): void {
  const { page } = opened
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      opened.problems.push(`console: ${message.text()}`)
    }
  })
  page.on('pageerror', (error) => opened.problems.push(`error: ${error.message}`))
  page.on('request', (request) => {
    const asked = request.url()
    if (asked !== opened.url && !/^(?:data|blob):/.test(asked)) opened.problems.push(`request: ${asked}`)
  })
  page.on('dialog', (dialog) => {
    opened.problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
}
