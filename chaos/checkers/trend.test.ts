// Tests of slopes: a line is found through noise and outliers, and noise alone has bounds on both sides of zero.

import t from 'tap'
import { trendOf } from './trend.ts'

/** Noise of 0 to 1, the same each time. */
let state = 1
const noise = (): number => {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31
  return state / 2 ** 31
}
const series = (count: number, value: (at: number) => number) =>
  Array.from({ length: count }, (_, at) => ({ at, value: value(at) }))

t.test('finds a line exactly', async (t) => {
  t.match(trendOf(series(20, (at) => 3 + 2 * at)), { slope: 2, lower: 2, upper: 2, median: 22, length: 19 })
})

t.test('finds a slope through noise, and outliers do not move it', async (t) => {
  const found = trendOf(series(60, (at) => (at % 13 === 0 ? 1_000 : at + 10 * noise())))
  t.ok(found !== null && found.lower > 0.5 && found.upper < 1.5, JSON.stringify(found))
})

t.test('noise alone has a slope in one series of a hundred, as 99 % bounds promise', async (t) => {
  const steep = Array.from({ length: 300 }, () => trendOf(series(40, () => 100 * noise()))).filter(
    (found) => found === null || found.lower > 0 || found.upper < 0,
  )
  t.ok(steep.length <= 9, `${steep.length} of 300`)
})

t.test('thousands of points take no longer than hundreds', async (t) => {
  t.match(trendOf(series(50_000, (at) => 2 * at)), { slope: 2 })
})

t.test('a few points, or no time between them, have none', async (t) => {
  t.equal(trendOf(series(7, (at) => at)), null)
  t.equal(trendOf(Array.from({ length: 20 }, () => ({ at: 1, value: 1 }))), null)
})
