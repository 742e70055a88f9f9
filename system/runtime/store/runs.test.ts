// Tests of the run store: what is kept, how it reads after the end, and what goes first.

import t from 'tap'
import { noHistory } from '../../program/history.ts'
import { toJson } from '../../wire/json.ts'
import { writeDetails, writeItems, writeSteps } from '../api/run-text.ts'
import type { Run } from '../executor/run.ts'
import { echo, flowOf, testExecutor } from '../executor/test-support.ts'
import { createRunStore, type Retention, type RunStore } from './runs.ts'

const storeOf = (more: Partial<Retention> = {}): RunStore =>
  createRunStore({ maxRuns: 100, maxAgeMs: 1000, maxBytes: 1e6, ...more })

const flow = flowOf({
  name: 'n',
  steps: [
    { id: 'a', component: '/a', input: { $input: '$' } },
    { id: 'b', component: '/b', input: { $input: '$.x' } },
    { id: 'unused', component: '/c' },
  ],
  output: [{ $step: 'a' }, { $step: 'b' }],
})

/** Runs that have ended, put into `store`. */
const fill = (store: RunStore, inputs: readonly unknown[][]): Run[] => {
  const executor = testExecutor(echo, noHistory, { store })
  return inputs.map((each) => executor.submit({ flow, inputs: each.map(toJson) }))
}

t.test('a run reads the same before and after its end', async (t) => {
  const store = storeOf()
  const [run] = fill(store, [[{ x: 1.5, é: '😀' }, 'no x', { x: null }]]) as [Run]
  const kept = store.get(run.id)
  if (kept === undefined) return t.fail('not kept')
  t.equal(store.atWork(run.id), undefined)
  for (const write of [writeDetails, writeItems, writeSteps]) t.equal(write(kept), write(run))
  t.equal(kept.stepStatus(2), 'blocked')
  t.match(kept.outcome(1), { ok: false, error: { code: 1, message: 'Input path $.x not found' } })
})

t.test('a result that is a step\u2019s is kept once', async (t) => {
  const store = storeOf()
  const long = 'x'.repeat(10_000)
  const same = flowOf({
    steps: [{ id: 'a', component: '/a', input: { $input: '$' } }],
    output: { $step: 'a' },
  })
  const run = testExecutor(echo, noHistory, { store }).submit({ flow: same, inputs: [toJson(long)] })
  t.match(store.get(run.id)?.outcome(0), { ok: true, value: toJson(long) })
  t.same(store.get(run.id)?.outcome(0), store.get(run.id)?.stepOutcome(0))
})

t.test('keeps so many, so many bytes, and for so long; the oldest go first', async (t) => {
  const ids = (store: RunStore): string[] => [...store.newestFirst()].map((run) => run.id)
  const few = storeOf({ maxRuns: 2 })
  const runs = fill(few, [[{ x: 1 }], [{ x: 2 }], [{ x: 3 }]])
  t.same(ids(few), [runs[2]?.id, runs[1]?.id])
  t.equal(few.get(runs[0]?.id ?? ''), undefined)

  const small = storeOf({ maxBytes: 5_000 })
  const large = fill(small, [[{ x: 'y'.repeat(1000) }], [{ x: 'z'.repeat(1000) }]])
  t.same(ids(small), [large[1]?.id])
  const tiny = storeOf({ maxBytes: 10 })
  const [only] = fill(tiny, [[{ x: 1 }]]) as [Run]
  t.same(ids(tiny), [only.id], 'the latest stays, however large')

  const aged = storeOf()
  const [old] = fill(aged, [[{ x: 1 }]]) as [Run]
  const endedAt = old.completedAt ?? 0
  aged.sweep(endedAt + 999)
  t.same(ids(aged), [old.id])
  aged.sweep(endedAt + 1000)
  t.same(ids(aged), [])
})

t.test('forgets one when told, and never one at work', async (t) => {
  const store = storeOf({ maxRuns: 1 })
  const never = testExecutor(() => new Promise(() => {}), noHistory, { store })
  const working = never.submit({ flow, inputs: [toJson({ x: 1 })] })
  t.equal(store.delete(working.id), false)
  const [first, second] = fill(store, [[{ x: 1 }], [{ x: 2 }]]) as [Run, Run]
  t.same(
    [...store.newestFirst()].map((run) => run.id),
    [second.id, working.id],
  )
  t.equal(store.delete(second.id), true)
  t.equal(store.delete(second.id), false)
  t.equal(store.delete(first.id), false)
  t.equal(store.atWork(working.id), working)
})

t.test('thousands pass through without a loss of those kept', async (t) => {
  const store = storeOf({ maxRuns: 50 })
  const runs = fill(
    store,
    Array.from({ length: 3000 }, (_, index) => [{ x: `${index} ${'é'.repeat(700)}` }]),
  )
  for (const run of runs.slice(-50)) t.equal(writeDetails(store.get(run.id) ?? run), writeDetails(run))
  t.equal([...store.newestFirst()].length, 50)
})
