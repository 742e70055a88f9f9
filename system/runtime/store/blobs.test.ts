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
