// When a pod takes new work.

import t from 'tap'
import { type Health, newHealth, nextHealth, type Sign } from './health.ts'

function after(signs: readonly Sign[], from: Health = newHealth): boolean {
  return signs.reduce(nextHealth, from).up
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
