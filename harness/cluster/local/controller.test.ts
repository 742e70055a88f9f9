// Tests of the controllers' decisions: scaling, rolling, recreating.

import { test } from 'tap'
import { type ControlledPod, inRemovalOrder, nextStep, type Wanted } from './controller.ts'

const pod = (name: string, over: Partial<ControlledPod> = {}): ControlledPod => ({
  name,
  revision: 'new',
  ready: true,
  terminating: false,
  restarts: 0,
  createdAt: 0,
  readyAt: 0,
  ...over,
})
const old = (name: string, over: Partial<ControlledPod> = {}): ControlledPod =>
  pod(name, { revision: 'old', ...over })
const rolling = (replicas: number): Wanted => ({ replicas, revision: 'new', strategy: 'rolling' })
const recreate = (replicas: number): Wanted => ({ replicas, revision: 'new', strategy: 'recreate' })
const nothing = { create: 0, remove: [] }

test('makes what is missing and does not count pods that terminate', async (t) => {
  t.same(nextStep([], rolling(3)), { create: 3, remove: [] })
  t.same(nextStep([pod('a'), pod('b', { terminating: true })], rolling(2)), { create: 1, remove: [] })
  t.same(nextStep([pod('a'), pod('b')], rolling(2)), nothing)
  t.same(nextStep([pod('a', { terminating: true })], recreate(1)), { create: 1, remove: [] })
})

test('removes the newest first', async (t) => {
  const pods = [pod('a', { readyAt: 1 }), pod('b', { readyAt: 3 }), pod('c', { readyAt: 2 })]
  t.same(nextStep(pods, rolling(1)), { create: 0, remove: ['b', 'c'] })
  t.same(nextStep(pods, rolling(0)).remove.toSorted(), ['a', 'b', 'c'])
})

test('ranks not ready, then shorter ready, then more restarts, then newer', async (t) => {
  const order = inRemovalOrder([
    pod('old', { readyAt: 1, createdAt: 1 }),
    pod('newer', { readyAt: 1, createdAt: 2 }),
    pod('restarted', { readyAt: 1, restarts: 2 }),
    pod('later', { readyAt: 5 }),
    pod('unready-old', { ready: false, createdAt: 1, readyAt: 9 }),
    pod('unready-new', { ready: false, createdAt: 2 }),
  ])
  t.same(
    order.map(({ name }) => name),
    ['unready-new', 'unready-old', 'later', 'restarted', 'newer', 'old'],
  )
})

test('rolls with one pod more and none less', async (t) => {
  const before = [old('a', { readyAt: 1 }), old('b', { readyAt: 2 })]
  t.same(nextStep(before, rolling(2)), { create: 1, remove: [] })
  t.same(nextStep([...before, pod('x', { ready: false })], rolling(2)), nothing)
  t.same(nextStep([...before, pod('x')], rolling(2)), { create: 0, remove: ['b'] })
  t.same(nextStep([before[0]!, pod('x')], rolling(2)), { create: 1, remove: [] })
  t.same(nextStep([before[0]!, pod('x'), pod('y')], rolling(2)), { create: 0, remove: ['a'] })
  t.same(nextStep([pod('x'), pod('y')], rolling(2)), nothing)
})

test('rolls broken pods away without waiting for them', async (t) => {
  t.same(nextStep([old('a', { ready: false }), old('b')], rolling(2)), { create: 1, remove: ['a'] })
})

test('follows a scale in the middle of a rollout', async (t) => {
  t.same(nextStep([old('a'), old('b'), pod('x')], rolling(1)).remove, ['a', 'b'])
  t.same(nextStep([old('a'), old('b')], rolling(0)).remove.toSorted(), ['a', 'b'])
  t.same(nextStep([old('a'), pod('x'), pod('y')], rolling(4)), { create: 2, remove: [] })
})

test('recreates only when every old pod is gone, the terminating ones too', async (t) => {
  t.same(nextStep([old('a')], recreate(1)), { create: 0, remove: ['a'] })
  t.same(nextStep([old('a', { terminating: true })], recreate(1)), nothing)
  t.same(nextStep([], recreate(1)), { create: 1, remove: [] })
  t.same(nextStep([pod('x')], recreate(1)), nothing)
})

test('reaches what is wanted from any start', async (t) => {
  for (const strategy of ['rolling', 'recreate'] as const) {
    for (let replicas = 0; replicas < 5; replicas++) {
      let pods: ControlledPod[] = [old('a'), old('b', { ready: false }), old('c'), pod('x', { ready: false })]
      for (let turn = 0; turn < 40; turn++) {
        const step = nextStep(pods, { replicas, revision: 'new', strategy })
        pods = pods
          .filter((one) => !one.terminating)
          .map((one) =>
            step.remove.includes(one.name) ? { ...one, terminating: true } : { ...one, ready: true },
          )
        for (let i = 0; i < step.create; i++) pods.push(pod(`n${turn}-${i}`, { ready: false }))
      }
      t.equal(pods.length, replicas, `${strategy} ${replicas}`)
      t.ok(pods.every((one) => one.revision === 'new' && one.ready))
    }
  }
})
