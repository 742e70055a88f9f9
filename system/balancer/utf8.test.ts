// Cuts that split no character.

import fc from 'fast-check'
import t from 'tap'
import { completeUtf8 } from './utf8.ts'

t.test('every cut of a text is whole, and holds back three bytes at most', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.nat(), (text, at) => {
      const bytes = Buffer.from(text.toWellFormed())
      const cut = at % (bytes.length + 1)
      const part = bytes.subarray(0, cut).toString('latin1')
      const length = completeUtf8(part)
      const decoded = bytes.subarray(0, length).toString()
      return cut - length <= 3 && Buffer.from(decoded).equals(bytes.subarray(0, length))
    }),
  )
})

t.test('holds nothing back of bytes that are no UTF-8', async (t) => {
  for (const text of ['\xff', 'a\x80\x80\x80\x80', '\xf8\x80', '']) t.equal(completeUtf8(text), text.length)
})
