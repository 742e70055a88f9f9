// Tests of the words for figures and times.

import t from 'tap'
import {
  capital,
  formatAgainst,
  formatDurationMs,
  formatNumber,
  formatQuantity,
  oneLine,
  plural,
  sentence,
} from './words.ts'

t.test('writes three digits, and thousands apart', async (t) => {
  t.strictSame(
    [0, 4.2149, 98.26, 999.7, 12_345.6].map((value) => formatNumber(value)),
    ['0', '4.21', '98.3', '1,000', '12,346'],
  )
  t.equal(formatQuantity(0.9997, 'ratio'), '1')
  t.equal(formatQuantity(12, 'ms'), '12 ms')
  t.equal(formatQuantity(null, 'ms'), 'none')
})

t.test('never lets a missed target read as the target', async (t) => {
  t.equal(formatAgainst(10.004, 10, 'ms'), '10.004 ms')
  t.equal(formatAgainst(94.999999, 95, 'req/s'), '94.999999 req/s')
  t.equal(formatAgainst(10, 10, 'ms'), '10 ms')
  t.equal(formatAgainst(0.9997, 0.98, 'ratio'), '0.9997')
})

t.test('writes durations in the unit people say', async (t) => {
  t.strictSame([4.4, 999, 1_240, 48_230, 59_970, 185_000, 3_600_000, 7_440_000].map(formatDurationMs), [
    '4 ms',
    '999 ms',
    '1.24 s',
    '48.2 s',
    '1 min',
    '3 min 5 s',
    '1 h',
    '2 h 4 min',
  ])
})

t.test('counts in singular and plural', async (t) => {
  t.equal(plural(1, 'run'), '1 run')
  t.equal(plural(1_204, 'run'), '1,204 runs')
  t.equal(plural(2, 'reply', 'replies'), '2 replies')
})

t.test('takes what a terminal would obey out of a line', async (t) => {
  t.equal(oneLine('a\u001b[2Jb\r\nc\u202ed'), 'a [2Jb c d')
  t.equal(oneLine('x'.repeat(20), 10), `${'x'.repeat(9)}…`)
})

t.test('starts a sentence with a capital, but not a name', async (t) => {
  t.equal(sentence('every run ends'), 'Every run ends.')
  t.equal(sentence('p95 is 3 ms.'), 'p95 is 3 ms.')
  t.equal(capital('`npm run load` ends'), '`npm run load` ends')
})
