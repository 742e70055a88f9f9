// Tests of summary.md: its tables, its size, and texts that try to be markup.

import t from 'tap'
import { attack, hostile } from '../testing/hostile.ts'
import { sampleResults, sampleSuite } from '../testing/sample.ts'
import { escapeMarkdown, renderMarkdown } from './markdown.ts'

t.test('says verdict, reasons with replay, scenarios and targets', async (t) => {
  const text = renderMarkdown(sampleResults('fail'))
  t.match(
    text,
    /^# ❌ FAIL: load\n\n4 of 25 checks in 6 scenarios do not hold: in affinity, overhead and kill\\?-mid\\?-sse\./,
  )
  t.match(text, /\*\*FAIL kill-mid-sse · no-run-hangs\*\*: Every run comes to an end\. 3 of 724/)
  t.match(text, /Replay: `npx zx scenarios\/kill-mid-sse\.mjs --seed 421337`/)
  t.match(text, /\| kill-mid-sse \| ❌ FAIL \| 5\/6 \| 594 \| 26 \|/)
  t.match(text, /\| overhead-p50 \| 12\.9 ms \| at most 10 ms \| ❌ FAIL \|/)
  t.match(text, /\| balancer-rate \| none \| at least 10,000 req\/s \| ➖ not measured \|/)
})

t.test('every row of a table has as many cells as its head', async (t) => {
  for (const results of [sampleResults('pass'), hostile(sampleResults('fail'))]) {
    const cells = (line: string): number => line.replace(/\\\|/g, '').split('|').length
    let head = 0
    for (const line of renderMarkdown(results).split('\n')) {
      if (!line.startsWith('|')) head = 0
      else if (head === 0) head = cells(line)
      else t.equal(cells(line), head, line)
    }
  }
})

t.test('no text becomes markup, a link, a mention or a line of its own', async (t) => {
  const escaped = escapeMarkdown(attack)
  t.notMatch(escaped, /[<>\n\u0000-\u001f\u202e]|(?<!\\)[`|[\]*_]|@|:\/\//)
  const text = renderMarkdown(hostile(sampleResults('fail')))
  const outside = text.replace(/(`+)[^`].*?\1(?!`)/g, '')
  t.notMatch(outside, /<script|<img|@everyone|https:\/\//)
})

t.test('stays under 1 MiB with ten thousand scenarios and long texts', async (t) => {
  const [scenario] = sampleResults('fail').scenarios.slice(1)
  const long = { ...scenario!, scenario: 'é'.repeat(900), replay: 'x'.repeat(5_000), summary: '' }
  const text = renderMarkdown(sampleSuite(Array.from({ length: 10_000 }, () => long)))
  t.ok(Buffer.byteLength(text) < 1_048_576)
  t.match(text, /cut: the whole is in results\.json\.\n$/)
  t.match(text, /^# ❌ FAIL/)
})
