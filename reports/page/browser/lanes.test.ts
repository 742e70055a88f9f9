// Tests of lanes and tags: nothing lies on anything else, whatever the faults.

import fc from 'fast-check'
import t from 'tap'
import { placeInLanes, placeTags } from './lanes.ts'

const width = 600
const items = fc.array(
  fc
    .record({
      from: fc.integer({ min: 0, max: width }),
      long: fc.integer({ min: 1, max: width }),
      labelWidth: fc.integer({ min: 0, max: 300 }),
    })
    .map(({ from, long, labelWidth }) => ({ from, to: Math.min(width, from + long), labelWidth })),
  { maxLength: 30 },
)

t.test('no bar or label overlaps another of its lane, and every label stays in the plot', async (t) => {
  fc.assert(
    fc.property(items, (some) => {
      const placed = placeInLanes(some, width)
      const boxes = placed.map(({ lane, labelLeft, labelWidth }, index) => ({
        lane,
        from: Math.min(some[index]!.from, labelLeft),
        to: Math.max(some[index]!.to, labelLeft + labelWidth),
        labelLeft,
        labelRight: labelLeft + labelWidth,
      }))
      for (const [index, one] of boxes.entries()) {
        if (one.labelLeft < 0 || one.labelRight > width) return false
        for (const other of boxes.slice(index + 1)) {
          if (one.lane === other.lane && one.from < other.to && other.from < one.to) return false
        }
      }
      return true
    }),
  )
  t.pass('held')
})

t.test('puts a label on its bar, beside it, or before it', async (t) => {
  const label = (from: number, to: number) =>
    placeInLanes([{ from, to, labelWidth: 100 }], width)[0]?.labelLeft
  t.equal(label(0, 300), 6)
  t.equal(label(0, 50), 56)
  t.equal(label(580, 600), 474)
})

t.test('uses as few lanes as first fit needs', async (t) => {
  const lane = (...from: number[]) =>
    placeInLanes(
      from.map((one) => ({ from: one, to: one + 10, labelWidth: 50 })),
      width,
    ).map((one) => one.lane)
  t.strictSame(lane(0, 100, 200), [0, 0, 0])
  t.strictSame(lane(0, 20, 100), [0, 1, 0])
})

t.test('tags that fall together become one that names both ends', async (t) => {
  const tags = placeTags(
    [
      { number: 1, x: 10 },
      { number: 2, x: 15 },
      { number: 3, x: 22 },
      { number: 4, x: 80 },
    ],
    20,
  )
  t.strictSame(tags, [
    { x: 10, text: '1–3' },
    { x: 80, text: '4' },
  ])
})

t.test('no two tags stand nearer than they may', async (t) => {
  const faults = fc.array(fc.record({ number: fc.nat(500), x: fc.nat(600) }))
  fc.assert(
    fc.property(faults, (some) => {
      const tags = placeTags(some, 20)
      return tags.every(({ x }, index) => index === 0 || x - tags[index - 1]!.x >= 20)
    }),
  )
  t.pass('held')
})
