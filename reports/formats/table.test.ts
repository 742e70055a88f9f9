// Tests of the terminal's table.

import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { hostile } from '../testing/hostile.ts'
import { sampleResults } from '../testing/sample.ts'
import { renderTable } from './table.ts'

t.test('plain text holds no escape sequence, whatever the results hold', async (t) => {
  t.notMatch(renderTable(hostile(sampleResults('fail'))), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
})

t.test('colour changes nothing but the colour', async (t) => {
  const results = sampleResults('fail')
  const coloured = renderTable(results, { colour: true })
  t.not(coloured, renderTable(results))
  t.equal(
    stripVTControlCharacters(coloured)
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
    renderTable(results),
  )
})

t.test('columns line up', async (t) => {
  const lines = renderTable(sampleResults('fail')).split('\n')
  const head = lines.findIndex((line) => line.startsWith('scenario '))
  const at = lines[head]!.indexOf('verdict')
  for (const line of lines.slice(head + 1, head + 7)) t.match(line.slice(at), /^(PASS|FAIL)/, line)
})

t.test('ends each FAIL and INVALID with one line that replays it', async (t) => {
  const replays = (kind: 'pass' | 'fail' | 'invalid' | 'interrupted') =>
    renderTable(sampleResults(kind)).match(/^ {2}replay: .*$/gm) ?? []
  t.strictSame(replays('pass'), [])
  t.equal(replays('fail').length, 4)
  t.strictSame(replays('invalid'), ['  replay: npx zx scenarios/throughput.mjs --seed 421337'])
  t.strictSame(replays('interrupted'), ['  replay: npx zx scenarios/throughput.mjs --seed 421337'])
})

t.test('says what each verdict means for the suite', async (t) => {
  t.match(renderTable(sampleResults('pass')), /^\nPASS {2}load in 56 s\. All 25 checks in 6 scenarios hold\./)
  t.match(renderTable(sampleResults('interrupted')), /INVALID {2}load .* Interrupted/)
  t.match(renderTable(sampleResults('broken')), /INVALID {2}load .* The harness broke/)
})

t.test(
  'a target that a benchmark measured before is shown with its figure, and judges nothing',
  async (t) => {
    const results = sampleResults('pass')
    const [target] = results.notMeasured
    const at = '2026-11-27T23:00:00.000Z'
    const lines = (measured: number) => {
      const earlier = { ...target!, earlier: { measured, at, commit: null } }
      return renderTable({ ...results, notMeasured: [earlier] })
    }
    t.match(lines(27_900), /^balancer-rate +27,900 req\/s +at least 10,000 req\/s +met earlier$/m)
    t.match(lines(9_000), /^balancer-rate +9,000 req\/s +at least 10,000 req\/s +short earlier$/m)
    t.match(lines(9_000), /^\nPASS {2}load/)
  },
)
