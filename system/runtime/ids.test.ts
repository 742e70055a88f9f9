// Tests of ids: in order, well formed, and read in every way that clients write them.

import t from 'tap'
import { newId, readUuid, uuidProblem } from './ids.ts'

t.test('ids are UUIDs of version 7, in the order they were made, and no two are one', async (t) => {
  const ids = Array.from({ length: 10_000 }, () => newId())
  t.equal(new Set(ids).size, ids.length)
  t.same([...ids].sort(), ids)
  for (const id of ids.slice(0, 50)) {
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
  const at = Date.now() + 1_000_000
  t.equal(Number.parseInt(newId(at).replaceAll('-', '').slice(0, 12), 16), at)
})

t.test('reads a UUID however it is written', async (t) => {
  const id = '01a20a92-2640-76b3-b2c3-bbe0f86c2cac'
  for (const text of [id, id.toUpperCase(), id.replaceAll('-', ''), `{${id}}`, `urn:uuid:${id}`]) {
    t.equal(readUuid(text), id, text)
  }
  const cases: [string, RegExp][] = [
    ['xyz', /invalid character.*found `x` at 1$/],
    ['01a20a92', /invalid length: expected length 32 for simple format, found 8/],
    ['01a20a92-264076b3-b2c3-bbe0f86c2caa', /invalid group count: expected 5, found 4/],
    [`${id}0`, /invalid group length in group 4: expected 12, found 13/],
  ]
  for (const [text, problem] of cases) {
    t.equal(readUuid(text), null)
    t.match(uuidProblem(text), problem)
  }
})
