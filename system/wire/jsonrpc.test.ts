// Tests of JSON-RPC messages: written, read back, refused.

import t from 'tap'
import { type Json, parseJson } from './json.ts'
import { decodeMessage, encodeError, encodeNotification, encodeRequest, encodeResult } from './jsonrpc.ts'

t.test('reads back what it writes, ids in their own type', async (t) => {
  for (const id of ['"a"', '7'] as Json[]) {
    const params = parseJson('{"x":1.0}')
    t.same(decodeMessage(encodeRequest(id, 'm', params)), { kind: 'request', id, method: 'm', params })
    t.same(decodeMessage(encodeResult(id, params)), { kind: 'result', id, result: params })
    t.same(decodeMessage(encodeError(id, { code: -1, message: 'no "x"' })), {
      kind: 'error',
      id,
      error: { code: -1, message: 'no "x"' },
    })
  }
  t.same(decodeMessage(encodeNotification('n', '{}' as Json)), {
    kind: 'notification',
    method: 'n',
    params: '{}',
  })
  t.equal(
    encodeError(null, { code: 1, message: 'm', data: '[1]' as Json }),
    '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m","data":[1]}}',
  )
})

t.test('takes fields in any order and passes over unknown ones', async (t) => {
  t.same(decodeMessage('{"id":"1","result":null,"x":{},"jsonrpc":"2.0"}'), {
    kind: 'result',
    id: '"1"',
    result: 'null',
  })
  t.same(decodeMessage('{"jsonrpc":"2.0","id":null,"error":{"data":{"r":1},"message":"m","code":-5}}'), {
    kind: 'error',
    id: 'null',
    error: { code: -5, message: 'm', data: '{"r":1}' },
  })
})

t.test('refuses what is no message', async (t) => {
  for (const text of [
    '[]',
    '{"id":1,"result":1}',
    '{"jsonrpc":"1.0","id":1,"result":1}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"2.0","result":1}',
    '{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":"m"}}',
    '{"jsonrpc":"2.0","id":{},"result":1}',
    '{"jsonrpc":"2.0","id":1,"method":5}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"m"}}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":1}}',
  ]) {
    t.throws(() => decodeMessage(text), { code: 'ERR_RPC_MESSAGE' }, text)
  }
  t.throws(() => decodeMessage('nope'), { code: 'ERR_JSON_SYNTAX' })
})
