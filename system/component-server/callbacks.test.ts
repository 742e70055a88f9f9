// Tests of callbacks: replies find what waits for them, and everything else is told apart.

import t from 'tap'
import { type NewRecord, noHistory } from '../program/history.ts'
import { type Json, toJson } from '../wire/json.ts'
import { type CallbackResult, createCallbacks, maxUnansweredOfCall } from './callbacks.ts'

const asItIs = (reply: CallbackResult): CallbackResult => reply

const setup = () => {
  const records: NewRecord[] = []
  const written: { id: string; method: string }[] = []
  const history = { ...noHistory, enabled: true, record: (record: NewRecord) => void records.push(record) }
  const callbacks = createCallbacks({ history })
  const owner = {
    requestId: 'e-1',
    open: true,
    write: (json: Json) => {
      // The record must have left before the bytes do.
      if (records.at(-1)?.kind !== 'callback.sent') throw new Error('written before it was recorded')
      written.push(JSON.parse(json) as { id: string; method: string })
    },
  }
  const settle = (id: string | number, fields: object, head = {}) =>
    callbacks.settle(id, fields as never, JSON.stringify(fields), {
      pinned: undefined,
      via: undefined,
      traceparent: undefined,
      ...head,
    })
  return { records, written, callbacks, owner, settle }
}

t.test('resolves the callback whose id a reply has, in any order', async (t) => {
  const { records, written, callbacks, owner, settle } = setup()
  const first = callbacks.send(owner, 'blobs/put', toJson({ data: 1 }), asItIs)
  const second = callbacks.send(owner, 'blobs/get', toJson({ blob_id: 'b' }), asItIs)
  t.equal(callbacks.unanswered, 2)
  const [put, get] = written
  t.match([put, get], [{ method: 'blobs/put' }, { method: 'blobs/get' }])
  t.equal(settle(get?.id ?? '', { result: { data: 2, blob_type: 'data' } }, { via: '1.1 lb-1' }), null)
  t.equal(settle(put?.id ?? '', { result: { blob_id: 'b' } }), null)
  t.match(await first, { result: { blob_id: 'b' } })
  t.match(await second, { result: { data: 2 } })
  t.equal(callbacks.unanswered, 0)
  t.match(records, [
    { kind: 'callback.sent', requestId: 'e-1', callbackId: put?.id, method: 'blobs/put' },
    { kind: 'callback.sent', callbackId: get?.id },
    { kind: 'callback.resolved', callbackId: get?.id, outcome: 'result', via: '1.1 lb-1' },
    { kind: 'callback.resolved', callbackId: put?.id, roundTripUs: Number, outcome: 'result' },
  ])
})

t.test('rejects with the error of a reply', async (t) => {
  const { written, callbacks, owner, settle } = setup()
  const sent = callbacks.send(owner, 'blobs/get', toJson({}), asItIs)
  t.equal(settle(written[0]?.id ?? '', { error: { code: -32000, message: 'no', data: { a: 1 } } }), null)
  await t.rejects(sent, { message: 'JSON-RPC error -32000: no', code: -32003, data: { a: 1 } })
})

t.test('refuses a reply that lacks what the method gives, and lets nobody wait', async (t) => {
  const { written, callbacks, owner, settle } = setup()
  const replies: [Parameters<typeof callbacks.send>[1], unknown, RegExp][] = [
    ['blobs/put', {}, /missing required field `blob_id`/],
    ['blobs/put', { blob_id: 5 }, /Expected `str`, got `int` - at `\$.blob_id`/],
    ['blobs/get', { blob_type: 'data' }, /missing required field `data`/],
    ['runs/submit', {}, /missing required field `runId`/],
    ['runs/get', 5, /Expected `object`, got `int`/],
    ['blobs/get', null, /Expected `object`, got `null`/],
  ]
  for (const [method, result, problem] of replies) {
    const sent = callbacks.send(owner, method, toJson({}), asItIs)
    t.match(settle(written.at(-1)?.id ?? '', { result }), problem)
    await t.rejects(sent, { message: problem })
  }
})

t.test('tells a foreign reply, and the second one to a callback', async (t) => {
  const { records, written, callbacks, owner, settle } = setup()
  t.equal(settle('zz', { result: {} }, { pinned: 'pod-b' }), "Response with id 'zz' has no pending request")
  t.equal(settle(5, { result: {} }), "Response with id '5' has no pending request")
  t.match(records, [
    { kind: 'callback.foreign', callbackId: 'zz', pinned: 'pod-b' },
    { kind: 'callback.foreign', callbackId: '5' },
  ])
  const sent = callbacks.send(owner, 'blobs/put', toJson({}), asItIs)
  const id = written[0]?.id ?? ''
  settle(id, { result: { blob_id: 'b' } })
  await sent
  t.match(settle(id, { result: { blob_id: 'b' } }), /no pending request/)
  t.match(records.at(-1), { kind: 'callback.foreign', callbackId: id })
})

t.test('rejects what a call that is over waits for, and takes its late replies once', async (t) => {
  const { records, written, callbacks, owner, settle } = setup()
  const sent = callbacks.send(owner, 'blobs/put', toJson({}), asItIs)
  callbacks.abandon(owner, () => new Error('gone'))
  await t.rejects(sent, { message: 'gone' })
  t.equal(callbacks.unanswered, 0)
  const id = written[0]?.id ?? ''
  t.equal(settle(id, { result: { blob_id: 'b' } }), null)
  t.match(records.at(-1), { kind: 'callback.resolved', callbackId: id, outcome: 'result' })
  t.match(settle(id, { result: { blob_id: 'b' } }), /no pending request/)
})

t.test('sends nothing for a call that is over, nor more than a call may have', async (t) => {
  const { written, callbacks, owner } = setup()
  owner.open = false
  await t.rejects(callbacks.send(owner, 'blobs/put', toJson({}), asItIs), { message: 'the call has ended' })
  owner.open = true
  const sent = Array.from({ length: maxUnansweredOfCall }, () =>
    callbacks.send(owner, 'blobs/put', toJson({}), asItIs),
  )
  await t.rejects(callbacks.send(owner, 'blobs/put', toJson({}), asItIs), {
    message: /more than 1000 callbacks/,
  })
  t.equal(written.length, maxUnansweredOfCall)
  callbacks.abandon(owner, () => new Error('over'))
  await Promise.allSettled(sent)
})

t.test('a reply that cannot be read rejects its callback, and nobody else hears of it', async (t) => {
  const { written, callbacks, owner, settle } = setup()
  const sent = callbacks.send(owner, 'blobs/put', toJson({}), () => {
    throw new Error('unreadable')
  })
  t.equal(settle(written[0]?.id ?? '', { result: { blob_id: 'b' } }), null)
  await new Promise(setImmediate)
  await t.rejects(sent, { message: 'unreadable' })
})
