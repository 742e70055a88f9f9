// The choice of a pod for new work.

import fc from 'fast-check'
import t from 'tap'
import { pick } from './pick.ts'

const pod = (slot: number, weight = 1, filling = false) => ({ slot, weight, filling, pickedAt: 0 })
const three = [pod(0), pod(1), pod(2)]

t.test('takes the pod with the fewest requests in flight', async (t) => {
  t.equal(pick(three, Int32Array.of(2, 1, 3), { lastSlot: -1, count: 0, picks: 0 })?.slot, 1)
})

t.test('lets equals take turns, whoever else is busier', async (t) => {
  const turn = { lastSlot: -1, count: 0, picks: 0 }
  const inFlight = Int32Array.of(0, 5, 0, 0)
  const four = [...three, pod(3)]
  const chosen = Array.from({ length: 6 }, () => pick(four, inFlight, turn)?.slot)
  t.same(chosen, [0, 2, 3, 0, 2, 3])
})

t.test('leaves out what was tried, and says null where nothing is left', async (t) => {
  const turn = { lastSlot: -1, count: 0, picks: 0 }
  const inFlight = new Int32Array(3)
  t.equal(pick(three, inFlight, turn, [0])?.slot, 1)
  t.equal(pick(three, inFlight, turn, [0, 1, 2]), null)
  t.equal(pick([], inFlight, turn), null)
})

t.test('never differs by more than one among pods that keep what they get', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 100 }), (pods, requests) => {
      const candidates = Array.from({ length: pods }, (_, slot) => pod(slot))
      const inFlight = new Int32Array(pods)
      const turn = { lastSlot: -1, count: 0, picks: 0 }
      for (let request = 0; request < requests; request++) inFlight[pick(candidates, inFlight, turn)!.slot]!++
      return Math.max(...inFlight) - Math.min(...inFlight) <= 1
    }),
  )
})

t.test('gives a pod of half the weight half the work', async (t) => {
  const candidates = [pod(0), pod(1, 0.5)]
  const inFlight = new Int32Array(2)
  const turn = { lastSlot: -1, count: 0, picks: 0 }
  for (let request = 0; request < 30; request++) inFlight[pick(candidates, inFlight, turn)!.slot]!++
  t.same([...inFlight], [20, 10])
})

t.test('tells the count it chose by', async (t) => {
  const turn = { lastSlot: -1, count: 0, picks: 0 }
  pick(three, Int32Array.of(4, 3, 5), turn)
  t.match(turn, { lastSlot: 1, count: 3 })
})

t.test('gives a pod that joined its even share, not a flood, until it has as many in flight', async (t) => {
  const joined = pod(3, 1, true)
  const four = [pod(0), pod(1), pod(2), joined]
  const inFlight = Int32Array.of(10, 10, 10, 0)
  const turn = { lastSlot: -1, count: 0, picks: 0 }
  const chosen: number[] = []
  // As many end as begin at the three, so that they stay at ten.
  for (let request = 0; request < 80; request++) {
    const { slot } = pick(four, inFlight, turn)!
    chosen.push(slot)
    if (slot === 3) inFlight[3]!++
  }
  const joinedAt = chosen.flatMap((slot, index) => (slot === 3 ? [index] : []))
  t.same(joinedAt.slice(0, 10), [3, 7, 11, 15, 19, 23, 27, 31, 35, 39])
  t.equal(joined.filling, false)
  // Then it takes turns with its equals: one more than they have at most.
  t.equal(inFlight[3], 11)
})

t.test('takes a pod that is filling beyond its share where the others failed', async (t) => {
  const candidates = [pod(0), pod(1, 1, true)]
  const turn = { lastSlot: -1, count: 0, picks: 0 }
  t.equal(pick(candidates, Int32Array.of(5, 0), turn, [0])?.slot, 1)
  t.equal(pick(candidates, Int32Array.of(5, 1), turn, [0])?.slot, 1)
})

t.test('several pods that join at once share evenly too', async (t) => {
  const candidates = [pod(0), pod(1), pod(2, 1, true), pod(3, 1, true)]
  const inFlight = Int32Array.of(10, 10, 0, 0)
  const turn = { lastSlot: -1, count: 0, picks: 0 }
  const counts = [0, 0, 0, 0]
  for (let request = 0; request < 32; request++) {
    const { slot } = pick(candidates, inFlight, turn)!
    counts[slot]!++
    if (slot > 1) inFlight[slot]!++
  }
  t.ok(
    counts.every((count) => count >= 7 && count <= 9),
    String(counts),
  )
})
