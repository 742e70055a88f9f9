// index.html: one self-contained file that opens offline, with a policy that forbids it any network.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Results } from '../../contracts/results.ts'
import { bundle } from '../page/bundle.ts'
import { type Html, html, raw, scriptJson } from '../page/html.ts'
import { pageView } from '../page/page.view.ts'

const page = join(import.meta.dirname, '../page')
const uPlot = createRequire(import.meta.url).resolve('uplot')

interface Assets {
  readonly style: string
  readonly scripts: readonly string[]
}

let cached: Assets | undefined

/** The text of the page. Results stand in it as they are in results.json. */
export function renderHtml(results: Results): string {
  return renderPage(`${results.verdict}: ${results.suite}`, pageView(results), results, results.verdict)
}

/** A page around `body`, with the data that its charts draw. */
export function renderPage(
  title: string,
  body: Html,
  results: Results,
  verdict: Results['verdict'] = results.verdict,
): string {
  cached ??= readAssets()
  const { style, scripts } = cached
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${scripts.map(hashOf).join(' ')}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="${favicon(verdict)}">
<style>${raw(style)}</style>
</head>
<body>
${body}
<script type="application/json" id="results">${scriptJson(results)}</script>
${scripts.map((script) => html`<script>${raw(script)}</script>\n`)}
</body>
</html>
`.text
}

function readAssets(): Assets {
  const assets = {
    style: `${readFileSync(join(uPlot, '../uPlot.min.css'), 'utf8').trim()}\n${readFileSync(join(page, 'page.css'), 'utf8')}`,
    scripts: [
      readFileSync(join(uPlot, '../uPlot.iife.min.js'), 'utf8').trim(),
      bundle(join(page, 'browser/main.ts')),
    ],
  }
  for (const text of [assets.style, ...assets.scripts]) {
    if (/<\/(?:script|style)|<!--/i.test(text))
      throw new Error('a script or style of the page would end its element')
  }
  return assets
}

/** A source of the policy: exactly this inline text and no other. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** The verdict as the page's icon: a circle, a square or a triangle. */
function favicon(verdict: Results['verdict']): string {
  const shape = {
    PASS: '<circle cx="8" cy="8" r="7" fill="#0b7a5b"/>',
    FAIL: '<path d="M1 1h14v14H1z" fill="#b3261e"/>',
    INVALID: '<path d="M8 1l7.5 14H.5z" fill="#b07800"/>',
  }[verdict]
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${shape}</svg>`)}`
}
