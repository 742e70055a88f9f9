// The choice of a pod for new work.

import fc from 'fast-check'
import t from 'tap'
import { pick } from './pick.ts'

const three = [
  { slot: 0, weight: 1 },
  { slot: 1, weight: 1 },
  { slot: 2, weight: 1 },
]

t.test('takes the pod with the fewest requests in flight', async (t) => {
  t.equal(pick(three, Int32Array.of(2, 1, 3), { lastSlot: -1, count: 0 })?.slot, 1)
})

t.test('lets equals take turns, whoever else is busier', async (t) => {
  const turn = { lastSlot: -1, count: 0 }
  const inFlight = Int32Array.of(0, 5, 0, 0)
  const four = [...three, { slot: 3, weight: 1 }]
  const chosen = Array.from({ length: 6 }, () => pick(four, inFlight, turn)?.slot)
  t.same(chosen, [0, 2, 3, 0, 2, 3])
})

t.test('leaves out what was tried, and says null where nothing is left', async (t) => {
  const turn = { lastSlot: -1, count: 0 }
  const inFlight = new Int32Array(3)
  t.equal(pick(three, inFlight, turn, [0])?.slot, 1)
  t.equal(pick(three, inFlight, turn, [0, 1, 2]), null)
  t.equal(pick([], inFlight, turn), null)
})

t.test('never differs by more than one among pods that keep what they get', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 100 }), (pods, requests) => {
      const candidates = Array.from({ length: pods }, (_, slot) => ({ slot, weight: 1 }))
      const inFlight = new Int32Array(pods)
      const turn = { lastSlot: -1, count: 0 }
      for (let request = 0; request < requests; request++) inFlight[pick(candidates, inFlight, turn)!.slot]!++
      return Math.max(...inFlight) - Math.min(...inFlight) <= 1
    }),
  )
})

t.test('gives a pod of half the weight half the work', async (t) => {
  const candidates = [
    { slot: 0, weight: 1 },
    { slot: 1, weight: 0.5 },
  ]
  const inFlight = new Int32Array(2)
  const turn = { lastSlot: -1, count: 0 }
  for (let request = 0; request < 30; request++) inFlight[pick(candidates, inFlight, turn)!.slot]!++
  t.same([...inFlight], [20, 10])
})

t.test('tells the count it chose by', async (t) => {
  const turn = { lastSlot: -1, count: 0 }
  pick(three, Int32Array.of(4, 3, 5), turn)
  t.same(turn, { lastSlot: 1, count: 3 })
})
