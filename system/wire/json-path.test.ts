// Tests of the paths of value expressions.

import t from 'tap'
import { parseJson } from './json.ts'
import { parsePath, valueAt, valueAtOrNull } from './json-path.ts'

const value = parseJson('{"a":{"b":[10,{"c.d":"x"}]},"a.b":1,"":2}')

t.test('reads every way to write a path, in normal form', async (t) => {
  const cases: [string, string, string | undefined][] = [
    ['', '$', value],
    ['$', '$', value],
    ['a', '$.a', '{"b":[10,{"c.d":"x"}]}'],
    ['$.a.b[0]', '$.a.b[0]', '10'],
    ["$['a']['b']", '$.a.b', '[10,{"c.d":"x"}]'],
    ['$["a"].b[1]', '$.a.b[1]', '{"c.d":"x"}'],
    ['$..a', '$.a', '{"b":[10,{"c.d":"x"}]}'],
    ['$.a[0]', '$.a[0]', undefined],
    ['$.a.b[2]', '$.a.b[2]', undefined],
    ['$.a.b.c', '$.a.b.c', undefined],
    [" $[ 'a' ].b[ 0 ]", '$.a.b[0]', '10'],
    ['$["a"b"]', '$.a"b', undefined],
    ['$[18446744073709551615]', '$[18446744073709551615]', undefined],
  ]
  for (const [text, normal, found] of cases) {
    const path = parsePath(text)
    t.equal(path.text, normal, text)
    t.equal(valueAt(value, path), found, text)
  }
})

t.test('keeps a path as given where its normal form would mean another', async (t) => {
  for (const text of ["$['a.b']", 'a.b']) {
    const path = parsePath(text)
    t.equal(path.text, text)
    t.equal(valueAt(value, path), '1')
    t.same(parsePath(path.text).segments, path.segments)
  }
})

t.test('a name without letters is kept, not taken for the whole', async (t) => {
  t.equal(parsePath("$['']").text, "$['']")
  t.equal(valueAt(value, parsePath("$['']")), '2')
})

t.test('refuses what is no path', async (t) => {
  t.throws(() => parsePath('$a'), { message: /Invalid character 'a' in JSON path after \$/ })
  t.throws(() => parsePath('$[-1]'), { message: /Invalid index '-1' in JSON path/ })
  t.throws(() => parsePath("$['a]b']"), { message: /Invalid index ''a'/ })
  t.throws(() => parsePath('$[18446744073709551616]'), { message: /Invalid index/ })
  t.throws(() => parsePath('$[1'), { code: 'ERR_FLOW_PATH' })
  t.throws(() => parsePath("$['a"), { code: 'ERR_FLOW_PATH' })
  t.throws(() => parsePath('$[]'), { message: /Invalid index ''/ })
})

t.test('null stays null whatever the path of a step', async (t) => {
  t.equal(valueAtOrNull(parseJson('null'), parsePath('$.x')), 'null')
  t.equal(valueAtOrNull(parseJson('{}'), parsePath('$.x')), undefined)
})
