// JSON-RPC ids found in bodies that may be cut anywhere.

import fc from 'fast-check'
import t from 'tap'
import { findMember, findRequestId, findTopLevel } from './request-id.ts'

t.test('finds the id as it stands', async (t) => {
  t.equal(findRequestId('{"jsonrpc":"2.0","id":"a-1","method":"x"}'), '"a-1"')
  t.equal(findRequestId(' { "params" : {"id": 1, "x": ["}"]} , "id" : 42 } '), '42')
  t.equal(findRequestId('{"a":"\\"id\\":1","id":"q\\"uote"}'), '"q\\"uote"')
  t.equal(findRequestId(Buffer.from('{"id":"ä"}').toString('latin1')), Buffer.from('"ä"').toString('latin1'))
})

t.test('says null where there is none, or it is cut off, nested or no id', async (t) => {
  for (const text of [
    '',
    '{',
    '[{"id":1}]',
    '"id"',
    '{"x":{"id":1}}',
    '{"id":"abc',
    '{"id":12',
    '{"id":null}',
    '{"id":true}',
    '{"id":{"a":1}}',
    '{"id":"line\nbreak"}',
    '{"id":"\\x"}',
    '{"id"',
    'x'.repeat(70_000),
    `{"x":"${'y'.repeat(70_000)}","id":1}`,
  ]) {
    t.equal(findRequestId(text), 'null')
  }
})

t.test('agrees with JSON.parse on whole objects, and never lies on cut ones', async () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
      fc.oneof(fc.string(), fc.integer()),
      fc.nat(),
      (rest, id, cut) => {
        const { id: _, ...others } = rest
        const text = Buffer.from(JSON.stringify({ ...others, id })).toString('latin1')
        const whole = findRequestId(text)
        const part = findRequestId(text.slice(0, cut % (text.length + 1)))
        return (
          JSON.parse(Buffer.from(whole, 'latin1').toString()) === id && (part === 'null' || part === whole)
        )
      },
    ),
  )
})

t.test('finds other members too', async (t) => {
  t.equal(
    findTopLevel('{"id":1,"method":"components/execute","params":{}}', 'method'),
    '"components/execute"',
  )
})

t.test('finds nested members, and tells absent from cut', async (t) => {
  const path = ['params', 'component']
  const text =
    '{"id":1,"x":{"component":"/no"},"params":{"input":{"component":"/no"},"component":"/gpu","y":1},"z":2}'
  t.same(findMember(text, path), { kind: 'found', raw: '"/gpu"' })
  for (let end = 0; end < text.indexOf('"/gpu"') + 6; end++) {
    t.equal(findMember(text.slice(0, end), path).kind, 'cut', text.slice(0, end))
  }
  for (const none of [
    '[1]',
    '{}',
    '{"params":{}}',
    '{"params":[1]}',
    '{"params":{"component":{}}}',
    '{"params":1}',
  ]) {
    t.equal(findMember(none, path).kind, 'absent', none)
  }
})
