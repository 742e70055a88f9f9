// Tests of exact bounds, against published tables of Clopper and Pearson.

import t from 'tap'
import { proportion, proportionText } from './proportion.ts'

const near = (value: number, expected: number): boolean => Math.abs(value - expected) < 5e-5

t.test('gives the bounds of the tables', async (t) => {
  for (const [count, trials, lower, upper] of [
    [0, 10, 0, 0.3085],
    [1, 10, 0.0025, 0.445],
    [5, 10, 0.1871, 0.8129],
    [10, 10, 0.6915, 1],
    [0, 200, 0, 0.0183],
    [40, 40, 0.9119, 1],
  ] as const) {
    const found = proportion(count, trials)
    t.ok(near(found.lower, lower), `${count} of ${trials}: lower ${found.lower}`)
    t.ok(near(found.upper, upper), `${count} of ${trials}: upper ${found.upper}`)
  }
})

t.test('the rule of three at one side: none of n excludes about 3.7 in n', async (t) => {
  t.ok(Math.abs(proportion(0, 1000).upper * 1000 - 3.68) < 0.01)
})

t.test('no trial proves nothing', async (t) => {
  t.match(proportion(0, 0), { share: null, lower: 0, upper: 1 })
  t.equal(proportionText(proportion(0, 0)), 'no trial')
})

t.test('says it in words', async (t) => {
  t.equal(proportionText(proportion(3, 50)), '3 of 50 (6.0 %, 95 % bounds 1.3 % to 16.5 %)')
})
