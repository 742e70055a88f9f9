// Tests of loads put together: histograms are merged, percentiles never averaged.

import t from 'tap'
import { randomOf, sampleLoad } from '../testing/sample.ts'
import { largestGroup, loadGroups } from './loads.ts'

const random = randomOf(5)
const load = (typicalMs: number, rate: number, seconds = 2) =>
  sampleLoad({ workload: 'double', startedAt: 0, seconds, rateRps: () => rate, typicalMs }, random)

t.test('adds counts and merges histograms of loads of one name', async (t) => {
  // 900 fast runs and 100 slow ones: the p95 of all is slow, the mean of the two p95 is not.
  const [fast, slow] = [load(1, 450), load(100, 50)]
  const [group] = loadGroups([
    { name: 'round', load: fast },
    { name: 'round', load: slow },
  ])
  t.match(group, { name: 'round', offered: 1_000, completed: 1_000, planned: 1_000 })
  t.equal(group?.latency.count, 1_000)
  t.ok((group?.latency.p50Ms ?? 0) < 2)
  t.ok((group?.latency.p95Ms ?? 0) > 70)
  // A histogram of three digits gives its highest value to a thousandth.
  t.ok(Math.abs((group?.latency.maxMs ?? 0) / (slow.latency.maxMs ?? 1) - 1) < 0.001)
})

t.test('keeps names apart and finds the largest', async (t) => {
  const groups = loadGroups([
    { name: 'a', load: load(1, 10) },
    { name: 'b', load: load(1, 30) },
  ])
  t.strictSame(
    groups.map(({ name, offered }) => [name, offered]),
    [
      ['a', 20],
      ['b', 60],
    ],
  )
  t.equal(largestGroup(groups)?.name, 'b')
  t.equal(largestGroup([]), undefined)
})

t.test('an unreadable histogram and a closed model have no figure rather than a wrong one', async (t) => {
  const broken = { ...load(1, 10), histogram: 'x', planned: null }
  const [group] = loadGroups([
    { name: 'a', load: broken },
    { name: 'a', load: load(1, 10) },
  ])
  t.match(group, { planned: null, latency: { count: 0, p99Ms: null } })
})
