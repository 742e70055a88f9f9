// Tests of places in text: where it breaks off, and which lines and columns problems have.

import t from 'tap'
import { findBreak, locate } from './json-locate.ts'
import { writePlace } from './json-shape.ts'

const at = (text: string): string =>
  writePlace(findBreak(text, (place, key) => place.length === 0 && key === 'unknown'))

t.test('names the place in which text breaks off as the real one does', async (t) => {
  const cases: [string, string][] = [
    ['', ''],
    ['{"a":1,}', ''],
    ['{"a":', 'a'],
    ['{"a":{', 'a.?'],
    ['{"a":{"b"', 'a'],
    ['{"a":{"b" 1}}', 'a'],
    ['{"a":{b:1}}', 'a.?'],
    ['{"a":{"b":1 "c":2}}', 'a.?'],
    ['{"a":[1 2]}', 'a'],
    ['{"a":[1,]}', 'a'],
    ['{"a":[1,{"b":x}]}', 'a[1].b'],
    ['{"a":{"b":1x}}', 'a.?'],
    ['{"a":{"b":01}}', 'a.b'],
    ['{"a":{"b":1.}}', 'a.b'],
    ['{"a":1e999}', 'a'],
    ['{"a":"\\ud800"}', 'a'],
    ['{"unknown":{"a":[x]}}', 'unknown'],
  ]
  for (const [text, place] of cases) t.equal(at(text), place, text)
})

t.test('goes no deeper than the parser', async (t) => {
  t.equal(findBreak('['.repeat(100_000), () => false).length, 127)
})

t.test('says nothing of text that is whole', async (t) => {
  t.same(
    findBreak('{"a":[1,"x",{"b":null}],"c":{}}', () => false),
    [],
  )
})

t.test('what is wrong with a value stands after the space that follows it', async (t) => {
  const text = '{"a":5 ,"b":6 }'
  t.same(locate(text, ['a'], 'end'), { line: 1, column: 6 })
  t.same(locate(text, ['a'], 'after'), { line: 1, column: 7 })
  t.same(locate(text, ['b'], 'after'), { line: 1, column: 15 })
})
