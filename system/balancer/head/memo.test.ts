// Heads that come again.

import t from 'tap'
import { readBuffer } from '../../program/read-buffer.ts'
import { HeadMemo } from './memo.ts'

const bytes = (text: string) => Buffer.from(text)

t.test('finds the same bytes again, whatever stands before and behind them', async (t) => {
  const memo = new HeadMemo<string>()
  memo.keep(bytes('xHEAD-ONE body'), 1, 9, 'one')
  t.equal(memo.find(bytes('HEAD-ONE'), 0, 8), 'one')
  t.equal(memo.find(bytes('..HEAD-ONE other'), 2, 16), 'one')
})

t.test('finds nothing that differs in one byte, or has not come as a whole', async (t) => {
  const memo = new HeadMemo<string>()
  memo.keep(bytes('HEAD-ONE'), 0, 8, 'one')
  const text = 'HEAD-ONE'
  for (let at = 0; at < text.length; at++) {
    t.equal(memo.find(bytes(`${text.slice(0, at)}?${text.slice(at + 1)}`), 0, 8), null)
    t.equal(memo.find(bytes(text), 0, at), null)
  }
})

t.test('remembers the last four, and no longer ones than 2 KiB', async (t) => {
  const memo = new HeadMemo<number>()
  for (let head = 0; head < 6; head++) memo.keep(bytes(`head ${head}`), 0, 6, head)
  t.same(
    [0, 1, 2, 3, 4, 5].map((head) => memo.find(bytes(`head ${head}`), 0, 6)),
    [null, null, 2, 3, 4, 5],
  )
  const long = bytes('x'.repeat(3_000))
  memo.keep(long, 0, 3_000, 9)
  t.equal(memo.find(long, 0, 3_000), null)
})

t.test('rests where heads hardly repeat, and tries again later', async (t) => {
  const memo = new HeadMemo<number>()
  for (let look = 0; look < 512; look++) {
    const head = bytes(`head ${look}`)
    memo.find(head, 0, head.length)
    memo.keep(head, 0, head.length, look)
  }
  const same = bytes('same')
  memo.keep(same, 0, 4, 7)
  t.equal(memo.find(same, 0, 4), null)
  for (let look = 0; look < 8_192; look++) memo.find(same, 0, 4)
  memo.keep(same, 0, 4, 7)
  t.equal(memo.find(same, 0, 4), 7)
})

t.test('tells heads apart in the read buffer, too, by each of their bytes', async (t) => {
  for (const text of ['HEAD-ONE', 'HEAD-ONE!', 'HEAD-ONE!!!', '1']) {
    const memo = new HeadMemo<string>()
    memo.keep(bytes(text), 0, text.length, text)
    const find = (read: string, end: number) => {
      readBuffer.write(read, 'latin1')
      return memo.find(readBuffer, 0, end)
    }
    t.equal(find(`${text} and a body`, text.length + 11), text)
    for (let at = 0; at < text.length; at++) {
      t.equal(find(`${text.slice(0, at)}?${text.slice(at + 1)}`, text.length), null)
      // What an earlier read left behind the end is none of this one.
      t.equal(find(text, at), null)
    }
  }
})
