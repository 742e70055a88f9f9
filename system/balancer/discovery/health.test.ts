// When a pod takes new work.

import t from 'tap'
import { type Health, mayFallToo, newHealth, nextHealth, type Sign, startWeight } from './health.ts'

function after(signs: readonly Sign[], from: Health = newHealth): boolean {
  return signs.reduce((health, sign) => nextHealth(health, sign), from).up
}

t.test('a new pod takes work at its first good answer', async (t) => {
  t.equal(after([]), false)
  t.equal(after(['good']), true)
  t.equal(after(['fault', 'bad', 'slow', 'good']), true)
})

t.test('three bad or slow answers in a row end it, fewer do not', async (t) => {
  t.equal(after(['good', 'bad', 'slow', 'good', 'bad', 'bad']), true)
  t.equal(after(['good', 'bad', 'slow', 'slow']), false)
})

t.test('a transport fault ends it at once', async (t) => {
  t.equal(after(['good', 'good', 'fault']), false)
})

t.test('a pod that was out needs two good answers in a row', async (t) => {
  const out: Sign[] = ['good', 'fault']
  t.equal(after([...out, 'good']), false)
  t.equal(after([...out, 'good', 'bad', 'good']), false)
  t.equal(after([...out, 'good', 'good']), true)
})

t.test('a busy pod is never put out, however long it is busy', async (t) => {
  t.equal(after(['good', 'slow', 'slow', ...new Array<Sign>(50).fill('busy')]), true)
})

t.test('too many pods out: signs of illness put no other out, a transport fault does', async (t) => {
  const up = nextHealth(newHealth, 'good')
  const ill = (['bad', 'slow', 'bad', 'bad'] as const).reduce(
    (health, sign) => nextHealth(health, sign, false),
    up,
  )
  t.equal(ill.up, true)
  t.equal(nextHealth(ill, 'bad', true).up, false)
  t.equal(nextHealth(ill, 'fault', false).up, false)
  t.equal(mayFallToo(3, 1, 70), true)
  t.equal(mayFallToo(3, 2, 70), false)
  t.equal(mayFallToo(1, 0, 70), false)
})

t.test('a slow start goes from a tenth to all', async (t) => {
  t.equal(startWeight(0, 1000), 0.1)
  t.equal(startWeight(500, 1000), 0.5)
  t.equal(startWeight(1000, 1000), 1)
  t.equal(startWeight(0, 0), 1)
})
