// Tests of JSON kept as text: canonical form, problems and their places, reading parts.

import fc from 'fast-check'
import t from 'tap'
import {
  element,
  elements,
  type Json,
  JsonSyntaxError,
  member,
  members,
  objectOf,
  parseJson,
  quote,
  sameJson,
  toJson,
  unquote,
} from './json.ts'

const problemOf = (text: string): string => {
  try {
    return `no problem: ${parseJson(text)}`
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    return `${error.problem} at line ${error.line} column ${error.column}`
  }
}

t.test('keeps numbers, key order and integer-like keys as they came', async (t) => {
  for (const text of [
    '{"z":1,"10":3,"2":4}',
    '[1.0,-0.0,1e-7,18446744073709551615,-9223372036854775808,0.1,1.5e+300]',
    '{"__proto__":{"a":1},"":"é😀"}',
    '"\\u0001\\n\\t\\"\\\\"',
    '{}',
    '[]',
  ]) {
    t.equal(parseJson(text), text)
  }
})

t.test('writes what is not canonical as Stepflow would', async (t) => {
  const cases: [string, string][] = [
    [' { "a" : [ 1 , 2 ] } ', '{"a":[1,2]}'],
    ['1e3', '1000.0'],
    ['-0', '-0.0'],
    ['18446744073709551616', '1.8446744073709552e+19'],
    ['123456789012345678901234567890', '1.2345678901234568e+29'],
    ['0.000001', '1e-6'],
    ['1E+2', '100.0'],
    ['"\\u00e9\\/\\u000A\\uD83D\\uDE00"', '"é/\\n😀"'],
    ['"\\u001F"', '"\\u001f"'],
    ['{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
    ['{"a":1,"\\u0061":2}', '{"a":2}'],
  ]
  for (const [text, expected] of cases) t.equal(parseJson(text), expected, text)
})

t.test('finds the same key twice among many', async (t) => {
  const keys = Array.from({ length: 100 }, (_, index) => `"k${index}":${index}`)
  t.equal(parseJson(`{${keys.join(',')},"k7":"x"}`), `{${keys.join(',').replace('"k7":7', '"k7":"x"')}}`)
})

t.test('says what is wrong and where', async (t) => {
  t.equal(problemOf('{a:1}'), 'key must be a string at line 1 column 2')
  t.equal(problemOf(''), 'EOF while parsing a value at line 1 column 0')
  t.equal(problemOf('[1,]'), 'trailing comma at line 1 column 4')
  t.equal(problemOf('{"a":1,}'), 'trailing comma at line 1 column 8')
  t.equal(problemOf('{"a":\n tru}'), 'expected ident at line 2 column 5')
  t.equal(problemOf('\ufeff1'), 'expected value at line 1 column 1', 'the first byte of a character')
  t.equal(problemOf('{\n"é" é}'), 'expected `:` at line 2 column 6')
  t.equal(problemOf('1 2'), 'trailing characters at line 1 column 3')
  t.equal(
    problemOf('"a\tb"'),
    'control character (\\u0000-\\u001F) found while parsing a string at line 1 column 3',
  )
  t.equal(problemOf('01'), 'invalid number at line 1 column 2')
  t.equal(problemOf('1e400'), 'number out of range at line 1 column 5')
  t.equal(problemOf('"\\ud800"'), 'unexpected end of hex escape at line 1 column 8')
  t.equal(problemOf('['.repeat(128) + ']'.repeat(128)), 'recursion limit exceeded at line 1 column 128')
  t.equal(parseJson('['.repeat(127) + ']'.repeat(127)).length, 254)
})

t.test('accepts and refuses what JSON.parse does', async () => {
  const alphabet = [
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '"a"',
    '"b"',
    '1',
    '-',
    '.5',
    'e2',
    'true',
    'null',
    ' ',
    '\\u0041',
    '\\',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }), (parts) => {
      const text = parts.join('')
      let expected: unknown
      try {
        expected = JSON.parse(text)
      } catch {
        return problemOf(text).startsWith('no problem') === false
      }
      return JSON.stringify(JSON.parse(parseJson(text))) === JSON.stringify(expected)
    }),
    { numRuns: 3000, seed: 7 },
  )
})

t.test('reads members and elements of any value', async (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), (object, list) => {
      const json = parseJson(JSON.stringify(object))
      const array = parseJson(JSON.stringify(list))
      for (const [key, value] of members(json)) {
        t.same(JSON.parse(value), (JSON.parse(json) as Record<string, unknown>)[key])
        t.equal(member(json, key), value)
      }
      t.equal(objectOf(members(json)), json)
      const parts = elements(array)
      t.equal(parts.length, list.length)
      for (const [index, part] of parts.entries()) t.equal(element(array, index), part)
      return element(array, list.length) === undefined
    }),
    { numRuns: 200, seed: 7 },
  )
})

t.test('finds nothing where there is nothing', async (t) => {
  const json = parseJson('{"a":{"b":[1,"]"]}}')
  t.equal(member(json, 'b'), undefined)
  t.equal(member(parseJson('[1]'), 'a'), undefined)
  t.equal(member(parseJson('{}'), 'a'), undefined)
  t.equal(element(parseJson('[]'), 0), undefined)
  t.equal(element(json, 0), undefined)
})

t.test('quotes and unquotes', async (t) => {
  for (const text of ['', 'a', '"\\', 'é\n😀', 'a"b']) t.equal(unquote(quote(text)), text)
  t.equal(toJson({ a: undefined, b: null }), '{"b":null}')
  t.equal(toJson(undefined), 'null' as Json)
})

t.test(
  'values that a flow has made deeper than any text compare without an overflow of the stack',
  async (t) => {
    const deep = (inmost: string): Json =>
      `${'[{"b":0,"a":'.repeat(15_000)}${inmost}${'}]'.repeat(15_000)}` as Json
    t.ok(sameJson(deep('1'), deep('1')))
    t.notOk(sameJson(deep('1'), deep('2')))
  },
)
