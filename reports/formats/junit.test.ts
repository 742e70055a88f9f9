// Tests of junit.xml: well-formed whatever the texts, one case a judgement, each outcome as its element.

import t from 'tap'
import { hostile } from '../testing/hostile.ts'
import { markupProblems } from '../testing/markup.ts'
import { sampleResults } from '../testing/sample.ts'
import { renderJunit } from './junit.ts'

t.test('is well-formed for every sample, and for texts that attack it', async (t) => {
  for (const kind of ['pass', 'fail', 'invalid', 'interrupted', 'broken'] as const) {
    t.strictSame(markupProblems(renderJunit(sampleResults(kind)), 'xml'), [], kind)
    t.strictSame(markupProblems(renderJunit(hostile(sampleResults(kind))), 'xml'), [], `hostile ${kind}`)
  }
})

t.test('counts failures, errors and skips', async (t) => {
  const count = (kind: 'pass' | 'fail' | 'invalid' | 'interrupted') =>
    /<testsuites name="load" tests="(\d+)" failures="(\d+)" errors="(\d+)" skipped="(\d+)">/
      .exec(renderJunit(sampleResults(kind)))
      ?.slice(1)
  t.strictSame(count('pass'), ['26', '0', '0', '1'])
  t.strictSame(count('fail'), ['26', '4', '0', '1'])
  t.strictSame(count('invalid'), ['26', '0', '1', '1'])
  t.strictSame(count('interrupted'), ['8', '0', '1', '1'])
})

t.test('a failure carries its counterexamples and the command that replays it', async (t) => {
  const text = renderJunit(sampleResults('fail'))
  t.match(
    text,
    /<failure message="3 of 724 runs were still open[^"]*" type="FAIL"><!\[CDATA\[[^\]]*run 0193-d0[^\]]*replay: npx zx scenarios\/kill-mid-sse\.mjs --seed 421337\]\]>/,
  )
  t.match(renderJunit(sampleResults('broken')), /<error message="TypeError[^>]*type="HARNESS"/)
  t.match(
    renderJunit(sampleResults('invalid')),
    /<error message="it sent up to 412 ms late[^>]*type="INVALID"/,
  )
})
