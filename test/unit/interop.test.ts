// Tests of what the differential tests judge by: how exchanges are compared, and what rows of the table allow.

import t from 'tap'
import { Deviations } from '../interop/deviations.ts'
import { compare, type Exchange, Names } from '../interop/exchange.ts'
import { readTree, writeTree } from '../interop/tree.ts'

const answer = (text: string, status = 200, headers: [string, string][] = []): Exchange => ({
  method: 'POST /runs',
  status,
  headers: new Map(headers),
  body: new Names().tree(text),
})

const differences = (real: string, ours: string): string[] =>
  compare(answer(real), answer(ours)).map((one) => `${one.field}: ${one.real} / ${one.ours}`)

t.test('a tree keeps numbers as spelled and keys in their order', async (t) => {
  const text = '{"b":1.0,"10":[1e3,-0,"\\"x"],"2":{},"":null}'
  t.equal(writeTree(readTree(text) ?? { kind: 'word', text: '' }), text)
  t.equal(readTree('{"a":'), undefined)
})

t.test('sees every kind of difference', async (t) => {
  t.same(differences('{"a":1}', '{"a":1}'), [])
  t.same(differences('{"a":1}', '{"a":1.0}'), ['a: 1 / 1.0'])
  t.same(differences('{"a":1}', '{"a":"1"}'), ['a: 1 / 1'])
  t.same(differences('{"a":{"b":1}}', '{"a":{"c":1}}'), ['a.b: 1 / null', 'a.c: null / 1'])
  t.same(differences('{"a":1,"b":2}', '{"b":2,"a":1}'), ['(key order): a b / b a'])
  t.same(differences('{"a":[1,2]}', '{"a":[1,3]}'), ['a[1]: 2 / 3'])
  t.same(differences('{"a":[1,2]}', '{"a":[1]}'), ['a: [1,2] / [1]'])
  t.same(differences('text', 'Text'), ['body: text / Text'])
  t.match(compare(answer('x', 400), answer('x', 422)), [{ field: 'answer', real: '400 x', ours: '422 x' }])
  const types = compare(answer('{}', 200, [['content-type', 'a']]), answer('{}'))
  t.match(types, [{ field: 'header content-type of JSON', real: 'a', ours: null }])
})

t.test('results of another outcome are one difference', async (t) => {
  const [one, ...rest] = differences(
    '{"result":{"outcome":"success","result":1}}',
    '{"result":{"outcome":"failed","error":{"code":1,"message":"m"}}}',
  )
  t.match(one, /^result: \{"outcome":"success".* \/ \{"outcome":"failed"/)
  t.same(rest, [])
  const failed = (message: string): string =>
    `{"result":{"outcome":"failed","error":{"code":500,"message":"${message}"}}}`
  t.match(differences(failed('m'), failed('n')), [/^result: .*"m".* \/ .*"n"/])
})

t.test('names ids by their order, and times by their form', async (t) => {
  const [a, b] = ['01a20a34-f7c6-70a3-ada8-5bc03f543723', '01a20a34-f7c6-70a3-ada8-5bc03f543724']
  const names = new Names()
  t.equal(names.of(`${b} ${a} ${b}`), 'id-1 id-2 id-1')
  t.equal(names.of('2026-11-23T20:59:33.190651Z'), 'timeZ')
  t.not(names.of('2026-11-23T20:59:33.190651+00:00'), 'timeZ')
})

t.test('a row allows what fits all of its cells, in its case, and counts as used', async (t) => {
  const table = new Deviations(
    [
      '| case | method | field | real | ours | why | source |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      '| any | all | `**.data.*` | - | `…` | x | H.1 |',
      '| one | POST /runs | `items[*].status` | `running` | `failed: …` | x | H.2 |',
    ].join('\n'),
  )
  const allows = (caseName: string, field: string, real: string | null, ours: string | null): boolean =>
    table.allows(caseName, { method: 'POST /runs', field, real, ours })
  t.notOk(allows('two', 'items[0].status', 'running', 'failed: x'), 'another case')
  t.notOk(allows('one', 'items[0].status.x', 'running', 'failed: x'), 'another field')
  t.notOk(allows('one', 'items[0].status', 'runnin', 'failed: x'), 'another value')
  t.notOk(allows('one', 'result.data.pod', 'a', 'b'), 'a value where none may be')
  t.equal(table.unused().length, 2)
  t.ok(allows('one', 'items[12].status', 'running', 'failed: a\nb'))
  t.ok(allows('any', 'result.error.data.pod', null, 'b'))
  t.same(table.unused(), [])
  t.same([...table.cases()], ['one'])
  t.throws(() => new Deviations('no table'), /no table whose first column/)
})
