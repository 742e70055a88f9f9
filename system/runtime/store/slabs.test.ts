// Tests of texts in large buffers: read back whole, whatever their length, and buffers used again.

import t from 'tap'
import { type KeptText, Slabs } from './slabs.ts'

t.test('reads back what it keeps', async (t) => {
  const slabs = new Slabs()
  const texts = ['', 'a', 'é😀', 'x'.repeat(600_000), 'é'.repeat(600_000), 'y'.repeat(3_000_000), 'b']
  const kept = texts.map((text) => slabs.keep(text))
  for (const [index, text] of texts.entries()) t.equal(slabs.read(kept[index] as KeptText), text)
})

t.test('uses a buffer again once nothing in it is kept', async (t) => {
  const slabs = new Slabs()
  const long = 'x'.repeat(900_000)
  const first = slabs.keep(long)
  const second = slabs.keep(long)
  slabs.forget(first)
  const third = slabs.keep(long)
  t.equal(third.slab.bytes, first.slab.bytes)
  t.not(second.slab.bytes, first.slab.bytes)
  t.equal(slabs.read(second), long)
})
