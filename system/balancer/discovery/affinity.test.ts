// Instance ids and their pods.

import t from 'tap'
import { Affinity, type Holder } from './affinity.ts'

const pod = (): Holder => ({ instanceId: null })

t.test('knows the holder of an id, and that it is gone when the pod is', async (t) => {
  const affinity = new Affinity()
  const a = pod()
  t.equal(affinity.learn('one', a), 'learned')
  t.equal(affinity.learn('one', a), 'known')
  t.equal(affinity.holder('one'), a)
  affinity.forget(a)
  t.equal(affinity.holder('one'), undefined)
  t.equal(affinity.isGone('one'), true)
  t.equal(affinity.isGone('two'), false)
})

t.test('takes a new id at an old address for a new process', async (t) => {
  const affinity = new Affinity()
  const a = pod()
  affinity.learn('one', a)
  t.equal(affinity.learn('two', a), 'changed')
  t.equal(affinity.holder('two'), a)
  t.equal(affinity.holder('one'), undefined)
  t.equal(affinity.isGone('one'), true)
})

t.test('leaves an id with the first of two pods that claim it', async (t) => {
  const affinity = new Affinity()
  const [a, b] = [pod(), pod()]
  affinity.learn('one', a)
  t.equal(affinity.learn('one', b), 'duplicate')
  t.equal(affinity.holder('one'), a)
})

t.test('knows an id again that was gone', async (t) => {
  const affinity = new Affinity()
  const a = pod()
  affinity.learn('one', a)
  affinity.forget(a)
  t.equal(affinity.learn('one', pod()), 'learned')
  t.equal(affinity.isGone('one'), false)
})

t.test('remembers a bounded number of ids that are gone', async (t) => {
  const affinity = new Affinity()
  const a = pod()
  for (let id = 0; id < 5000; id++) affinity.learn(`id-${id}`, a)
  t.equal(affinity.isGone('id-0'), false)
  t.equal(affinity.isGone('id-4998'), true)
})
