// Tests of RawJson: text in, the same text out.

import t from 'tap'
import { RawJson, writeJson } from './raw-json.ts'

t.test('keeps what JavaScript loses', async (t) => {
  const text = '{"10":1.0,"2":[18446744073709551615,1e-7],"a":-0.0}'
  const raw = RawJson.parse(text)
  t.equal(raw.text, text)
  t.equal(
    writeJson({ kept: raw, list: [raw, 1, undefined], gone: undefined }),
    `{"kept":${text},"list":[${text},1,null]}`,
  )
})

t.test('writes the rest as JSON.stringify does', async (t) => {
  const value = { date: new Date(0), text: 'é"\n', nested: { a: [null, true] }, run() {} }
  t.equal(writeJson(value), JSON.stringify(value))
})

t.test('gives its value, also to JSON.stringify', async (t) => {
  t.strictSame(RawJson.parse('{"a":1}').value(), { a: 1 })
  t.equal(JSON.stringify({ x: RawJson.parse('[1]') }), '{"x":[1]}')
  t.throws(() => RawJson.parse('{'), { code: 'ERR_JSON_SYNTAX' })
})
