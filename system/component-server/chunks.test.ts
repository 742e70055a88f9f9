// Tests of chunked bodies: read whatever way they are cut, refused where they are malformed or too large.

import t from 'tap'
import { createChunkReader } from './chunks.ts'

const read = (text: string, size: number, limit = 1000) => {
  const reader = createChunkReader(limit)
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += size) {
    const end = reader.push(bytes.subarray(at, at + size), 0)
    if (end !== -1) {
      return typeof end === 'string' ? end : { body: reader.body().toString(), end: at + end }
    }
  }
  return 'incomplete'
}

t.test('reads a body in chunks, however the bytes are cut', async (t) => {
  const text = '5;name="v;\\"";b=1 ; c\r\nhello\r\n00A\r\n, world...\r\n0\r\nTrailer: x\r\n\r\n'
  for (let size = 1; size <= text.length; size++) {
    t.strictSame(read(text, size), { body: 'hello, world...', end: text.length })
  }
})

t.test('says where the body ends', async (t) => {
  t.strictSame(read('1\r\na\r\n0\r\n\r\nPOST', 100), { body: 'a', end: 11 })
})

t.test('waits for the rest', async (t) => {
  t.equal(read('5\r\nhel', 2), 'incomplete')
  t.equal(read('1\r\na\r\n0\r\n', 2), 'incomplete')
})

for (const text of [
  '0x5\r\n',
  '+5\r\n',
  '-1\r\n',
  '\r\n',
  '5 \r\n',
  '5\nhello',
  '123456789\r\n',
  '5\rX',
  '1\r\nab\r\n',
  '1\r\na\rX',
  '1\r\na\n',
  '1;a\nb\r\n',
  '1;\r\n',
  '1;;a\r\n',
  '1;a=\r\n',
  '1;a="b\r\n',
  '0\r\nX: \x00\r\n\r\n',
  '0\r\nb d: a\r\n\r\n',
  '0\r\nno colon\r\n\r\n',
  '0\r\n\rX',
]) {
  t.test(`refuses ${JSON.stringify(text)}`, async (t) => {
    t.equal(read(text, 1), 'malformed')
    t.equal(read(text, 100), 'malformed')
  })
}

t.test('refuses a body, extensions and trailers beyond their limits', async (t) => {
  t.equal(read('8\r\n12345678\r\n1\r\n', 3, 8), 'too large')
  t.equal(read('FFFFFFFF\r\n', 3), 'too large')
  t.equal(read(`1;${'x'.repeat(17_000)}`, 1000), 'too large')
  t.equal(read(`0\r\n${'X: y\r\n'.repeat(4000)}`, 1000), 'too large')
})
