// Tests of the blob store: ids by content, flows in normal form, and what is forgotten.

import t from 'tap'
import { parseJson, toJson } from '../../wire/json.ts'
import { flowOf } from '../executor/test-support.ts'
import { createBlobStore } from './blobs.ts'

const text = (mark: string) => toJson(mark.repeat(98))

t.test('the same value is one blob', async (t) => {
  const blobs = createBlobStore({ maxBytes: 1000 })
  const id = blobs.put(parseJson('{"b":1,"a":2}'), 'data', null)
  t.equal(id, 'a1d46c3cdb4e5795c8d637f80daeb578ebb1a9a65dc1ed5f11f51794c3c89f3a')
  t.equal(blobs.put(parseJson('{ "b" : 1, "a" : 2 }'), 'data', null), id)
  t.match(blobs.get(id), { type: 'data', data: '{"b":1,"a":2}', flow: null })
  t.equal(blobs.delete(id), true)
  t.equal(blobs.delete(id), false)
  t.equal(blobs.get(id), undefined)
})

t.test('a flow is kept in normal form, under the id of what was sent', async (t) => {
  const blobs = createBlobStore({ maxBytes: 1000 })
  const sent = parseJson('{"output":{"$input":"x"},"zz":1}')
  const id = blobs.put(sent, 'flow', null)
  t.match(blobs.get(id), { type: 'flow', data: '{"output":{"$input":"$.x"}}', flow: { id } })
  const flow = flowOf({ output: 1 })
  blobs.putFlow(flow)
  t.equal(blobs.get(flow.id)?.flow, flow)
  t.throws(() => blobs.put(parseJson('{"steps":1}'), 'flow', null), { name: 'ShapeError' })
})

t.test('the longest unused goes first, but nothing that a running run has put', async (t) => {
  const blobs = createBlobStore({ maxBytes: 300 })
  const pinned = blobs.put(text('p'), 'data', 'run-1')
  const a = blobs.put(text('a'), 'data', null)
  const b = blobs.put(text('b'), 'data', null)
  blobs.get(a)
  const c = blobs.put(text('c'), 'data', null)
  t.same(
    [pinned, a, b, c].map((id) => blobs.get(id) !== undefined),
    [true, true, false, true],
  )
  blobs.release('run-1')
  blobs.get(a)
  blobs.get(c)
  blobs.put(text('d'), 'data', 'run-2')
  t.equal(blobs.get(pinned), undefined)
  const large = blobs.put(toJson('x'.repeat(1000)), 'data', null)
  t.ok(blobs.get(large), 'the latest stays, however large')
})

t.test('what running runs have put is bounded, and free again when they end', async (t) => {
  const blobs = createBlobStore({ maxBytes: 1000, maxPinnedBytes: 250 })
  const a = blobs.put(text('a'), 'data', 'run-1')
  blobs.put(text('b'), 'data', 'run-1')
  t.throws(() => blobs.put(text('c'), 'data', 'run-2'), { name: 'FullError' })
  t.equal(blobs.put(text('a'), 'data', 'run-2'), a, 'what is there already')
  t.ok(blobs.put(text('d'), 'data', null), 'what no run has put')
  blobs.release('run-1')
  t.ok(blobs.put(text('c'), 'data', 'run-2'))
  t.throws(() => blobs.put(text('b'), 'data', 'run-2'), { name: 'FullError' })
  blobs.release('run-2')
  t.ok(blobs.put(text('b'), 'data', 'run-3'))
})

t.test('a blob that is put as data and as flow is forgotten like any other', async (t) => {
  const blobs = createBlobStore({ maxBytes: 300, maxPinnedBytes: 100 })
  const flow = parseJson('{"output":1}')
  const id = blobs.put(flow, 'data', 'run-1')
  t.equal(blobs.put(flow, 'flow', 'run-2'), id)
  t.match(blobs.get(id), { type: 'flow' })
  t.equal(blobs.put(flow, 'data', null), id)
  t.match(blobs.get(id), { type: 'data', data: flow })
  blobs.release('run-1')
  blobs.release('run-2')
  for (const mark of ['a', 'b', 'c']) blobs.put(text(mark), 'data', null)
  t.equal(blobs.get(id), undefined)
  t.ok(blobs.put(text('d'), 'data', 'run-3'), 'nothing is held any more')
})
