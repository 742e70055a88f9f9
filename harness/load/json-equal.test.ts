import fc from 'fast-check'
import t from 'tap'
import { canonicalJson, jsonEqual } from './json-equal.ts'

t.test('equal by value, whatever the order of keys', async (t) => {
  t.ok(jsonEqual({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }))
  t.ok(jsonEqual(0, -0))
  t.ok(jsonEqual(1, 1.0))
})

t.test('different by type, key, length, order of members', async (t) => {
  for (const [a, b] of [
    [1, '1'],
    [null, {}],
    [{}, []],
    [undefined, null],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: undefined }, { b: undefined }],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
    [{ length: 0 }, []],
  ] as const) {
    t.notOk(jsonEqual(a, b), JSON.stringify([a, b]))
    t.notOk(jsonEqual(b, a), JSON.stringify([b, a]))
  }
})

t.test('two values are equal exactly when their canonical texts are', async () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (a, b) => {
      const copy = JSON.parse(JSON.stringify(a)) as unknown
      return jsonEqual(a, copy) && jsonEqual(a, b) === (canonicalJson(a) === canonicalJson(b))
    }),
    { numRuns: 200 },
  )
})
