// Tests of the columns that are drawn, and of the values read from them.

import t from 'tap'
import type { ChartLine } from './charts.ts'
import { columnsOf, valueAt } from './plot-data.ts'

const line = (shape: ChartLine['shape'], x: number[], y: (number | null)[]): ChartLine => ({
  label: 'a',
  colour: 0,
  shape,
  dashed: false,
  filled: false,
  x,
  y,
})
const columns = (one: ChartLine, log = false, grain = 1) => columnsOf({ lines: [one], log, grain }, 10)[0]

t.test('a step holds its value from the start of its second to its end', async (t) => {
  t.strictSame(columns(line('steps', [0.5, 1.5], [4, 6])), [
    [0, 1, 2, 2.000001],
    [4, 6, 6, null],
  ])
})

t.test('a step ends where the next second has no value', async (t) => {
  t.strictSame(columns(line('steps', [0.5, 1.5, 2.5], [4, null, 6])), [
    [0, 1, 1.000001, 2, 3, 3.000001],
    [4, 4, null, 6, 6, null],
  ])
  t.strictSame(columns(line('steps', [0.5, 5.5], [4, 6]))?.[0], [0, 1, 1.000001, 5, 6, 6.000001])
})

t.test('a step of a coarser grain is as wide as its grain', async (t) => {
  t.strictSame(columns(line('steps', [5, 15], [4, 6]), false, 10)?.[0], [0, 10, 20, 20.000001])
})

t.test('a logarithmic axis has no place for zero', async (t) => {
  t.strictSame(columns(line('line', [0.5, 1.5], [0, 6]), true)?.[1], [null, 6])
  t.strictSame(columns(line('line', [0.5, 1.5], [0, 6]))?.[1], [0, 6])
})

t.test('the ends of the axis are always there', async (t) => {
  t.strictSame(columnsOf({ lines: [], log: false, grain: 1 }, 10), [
    [
      [0, 10],
      [null, null],
    ],
  ])
})

t.test('reads the value of the second that a time lies in, or none', async (t) => {
  const one = line('line', [0.5, 1.5, 7.5], [4, null, 6])
  t.strictSame(
    [0.01, 0.9, 1.4, 4, 7.2, 8.01, 9].map((second) => valueAt(one, second)),
    [4, 4, null, null, 6, 6, null],
  )
  t.equal(valueAt(one, 11, 10), 6, 'of a coarser grain: within it')
  t.equal(valueAt(line('line', [], []), 3), null)
})
