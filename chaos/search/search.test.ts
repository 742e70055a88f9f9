// Tests of the search: the same seed draws the same, what is drawn is valid and reads back, and shrinking finds the cause.

import t from 'tap'
import { checkers } from '../checkers/index.ts'
import type { Experiment } from '../experiments/model.ts'
import { parseExperiment } from '../experiments/parse.ts'
import { faults } from '../faults/index.ts'
import { drawExperiment } from './schedule.ts'
import { shrink } from './shrink.ts'
import { experimentText } from './write.ts'

const known = { faults, checkers: Object.keys(checkers) }

t.test('the same seed draws the same schedules, another draws others', async (t) => {
  const draw = (seed: number) =>
    Array.from({ length: 20 }, (_, i) => ({ ...drawExperiment(seed, i), name: '', description: '' }))
  t.same(draw(3), draw(3))
  t.notSame(draw(3), draw(4))
  t.equal(new Set(draw(3).map((one) => JSON.stringify(one))).size, 20, 'twenty different ones')
})

t.test('whatever is drawn is a valid experiment, and its file reads back as the same', async (t) => {
  const used = new Set<string>()
  for (let i = 0; i < 60; i++) {
    const drawn = drawExperiment(1, i)
    for (const { fault } of drawn.faults) used.add(fault)
    const back = parseExperiment(experimentText(drawn, ['a note']), 'x.yaml', known)
    const again = parseExperiment(experimentText(back, []), 'x.yaml', known)
    t.same(again, back)
    t.match(back, { ...drawn, faults: drawn.faults.map((fault) => ({ ...fault })) })
  }
  t.ok(used.size >= 12, `${used.size} kinds of faults`)
})

/** A large experiment: three faults and two loads. */
const large: Experiment = (() => {
  for (let i = 0; ; i++) {
    const drawn = drawExperiment(5, i)
    if (new Set(drawn.faults.map(({ fault }) => fault)).size === 3) return drawn
  }
})()

t.test('shrinks to the fault, the load and the time that the failure needs', async (t) => {
  const culprit = large.faults[1]!.name
  const runs: Experiment[] = []
  const { experiment, tried } = await shrink(
    large,
    async (candidate) => {
      runs.push(candidate)
      const users = candidate.loads.find(({ name }) => name === 'streams')?.users ?? 0
      return candidate.faults.some(({ name }) => name === culprit) && users >= 3
    },
    100,
  )
  t.same(
    experiment.faults.map(({ name }) => name),
    [culprit],
  )
  t.same(
    experiment.loads.map(({ name }) => name),
    ['streams'],
  )
  t.ok((experiment.loads[0]?.users ?? 0) < 6, `${experiment.loads[0]?.users} users`)
  t.ok((experiment.faults[0]?.forMs ?? 0) < 400)
  t.equal(tried, runs.length)
  t.ok(tried < 40, `${tried} runs`)
})

t.test('a failure that needs no fault ends with none; one that needs all keeps them', async (t) => {
  t.same((await shrink(large, async () => true, 100)).experiment.faults, [])
  const all = await shrink(large, async (one) => one.faults.length === 3 && one.loads.length === 2, 100)
  t.equal(all.experiment.faults.length, 3)
})

t.test('stops at the number of runs that it is given', async (t) => {
  t.equal((await shrink(large, async () => true, 2)).tried, 2)
  t.equal((await shrink(large, async () => false, 3)).tried, 3)
})
