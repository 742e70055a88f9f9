// Tests of index.html without a browser: closed elements, no address to load from, a policy that names its scripts.

import { createHash } from 'node:crypto'
import t from 'tap'
import { hostile } from '../testing/hostile.ts'
import { markupProblems } from '../testing/markup.ts'
import { sampleResults } from '../testing/sample.ts'
import { renderHtml } from './html.ts'

const kinds = ['pass', 'fail', 'invalid', 'interrupted', 'broken'] as const

t.test('closes what it opens, also around texts that attack it', async (t) => {
  for (const kind of kinds) {
    t.strictSame(markupProblems(renderHtml(sampleResults(kind)), 'html'), [], kind)
    t.strictSame(markupProblems(renderHtml(hostile(sampleResults(kind))), 'html'), [], `hostile ${kind}`)
  }
})

t.test('loads nothing: no address in any attribute, style or import', async (t) => {
  const text = renderHtml(sampleResults('fail'))
  const tags = text.replace(/(<script[^>]*>)[\s\S]*?<\/script>/g, '$1').match(/<[a-z][^>]*>/g) ?? []
  const loads = /\b(?:src|srcset|action|data|poster)="|href="(?!#|data:image\/svg)/
  t.ok(tags.length > 1_000)
  t.strictSame(
    tags.filter((tag) => loads.test(tag)),
    [],
  )
  const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? ''
  t.notMatch(style, /url\(|@import/)
  t.notMatch(text, /\bimport\s*\(|\bfetch\s*\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon/)
})

t.test('its policy allows exactly the scripts and the style that stand in it', async (t) => {
  const text = renderHtml(sampleResults('pass'))
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text)?.[1] ?? ''
  t.match(policy, /^default-src 'none'; /)
  t.notMatch(policy, /unsafe|https?:|\*/)
  const hash = (code: string): string => `'sha256-${createHash('sha256').update(code).digest('base64')}'`
  const scripts = [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, code = '']) => hash(code))
  const styles = [...text.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, code = '']) => hash(code))
  t.equal(scripts.length, 2)
  t.match(policy, `script-src ${scripts.join(' ')};`)
  t.match(policy, `style-src ${styles.join(' ')};`)
  t.notMatch(text, / style="| on[a-z]+="/, 'nothing inline that the policy would refuse')
})

t.test('carries the whole results, readable again', async (t) => {
  for (const results of [sampleResults('fail'), hostile(sampleResults('fail'))]) {
    const [, data = ''] =
      /<script type="application\/json" id="results">([\s\S]*?)<\/script>/.exec(renderHtml(results)) ?? []
    t.notMatch(data, /[<>\u2028\u2029]/)
    t.strictSame(JSON.parse(data), JSON.parse(JSON.stringify(results)))
  }
})

t.test('says the verdict and how to run each failure again before anything else', async (t) => {
  const body = renderHtml(sampleResults('fail')).split('<main')[1] ?? ''
  const order = [
    'FAIL',
    'The system does not hold.',
    'npx zx scenarios/affinity.mjs --seed 421337',
    'id="scenarios"',
    'id="targets"',
    'id="scenario-0"',
    'id="environment"',
    'id="glossary"',
  ]
  const places = order.map((part) => body.indexOf(part))
  t.ok(places.every((place) => place >= 0))
  t.strictSame(
    places,
    [...places].sort((a, b) => a - b),
  )
})
