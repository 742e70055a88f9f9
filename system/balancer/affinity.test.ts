// Instance ids and their pods.

import t from 'tap'
import { Affinity } from './affinity.ts'
import type { Pod } from './pods.ts'

function pod(key: string): Pod {
  return { key, host: key, port: 1, slot: 0, takesWork: true, instanceId: null, heardMs: 0, idle: [] }
}

t.test('knows the holder of an id, and that it is gone when the pod is', async (t) => {
  const affinity = new Affinity()
  const a = pod('a')
  affinity.learn('one', a)
  t.equal(affinity.holder('one'), a)
  affinity.forgetPod(a)
  t.equal(affinity.holder('one'), undefined)
  t.equal(affinity.isGone('one'), true)
  t.equal(affinity.isGone('two'), false)
})

t.test('takes a new id at an old address for a new process, and raises an alarm', async (t) => {
  const affinity = new Affinity()
  const a = pod('a')
  affinity.learn('one', a)
  affinity.learn('two', a)
  t.equal(affinity.holder('two'), a)
  t.equal(affinity.holder('one'), undefined)
  t.equal(affinity.isGone('one'), true)
  t.same(affinity.alarms, { duplicate: 0, changed: 1 })
})

t.test('leaves an id with the first of two pods that claim it, and raises an alarm', async (t) => {
  const affinity = new Affinity()
  const [a, b] = [pod('a'), pod('b')]
  affinity.learn('one', a)
  affinity.learn('one', b)
  t.equal(affinity.holder('one'), a)
  t.same(affinity.alarms, { duplicate: 1, changed: 0 })
})

t.test('remembers a bounded number of ids that are gone', async (t) => {
  const affinity = new Affinity()
  const a = pod('a')
  for (let id = 0; id < 5000; id++) affinity.learn(`id-${id}`, a)
  t.equal(affinity.isGone('id-0'), false)
  t.equal(affinity.isGone('id-4998'), true)
})
