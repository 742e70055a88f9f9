// A head with room behind it.

import t from 'tap'
import { PackedHead, roomBytes } from './packed.ts'

const text = (view: Uint8Array) => Buffer.from(view).toString('latin1')

t.test('puts bytes or text behind the head, of any length that fits', async (t) => {
  const head = new PackedHead('HEAD\r\n\r\n')
  t.equal(text(head.withBytes(Buffer.from('xbodyx'), 1, 5)), 'HEAD\r\n\r\nbody')
  t.equal(text(head.withText('b\xff')), 'HEAD\r\n\r\nb\xff')
  t.equal(text(head.withText('')), 'HEAD\r\n\r\n')
  const long = 'y'.repeat(roomBytes)
  t.equal(text(head.withBytes(Buffer.from(long), 0, roomBytes)), `HEAD\r\n\r\n${long}`)
})

t.test('leaves alone what was given away', async (t) => {
  const head = new PackedHead('HEAD ')
  const waiting = head.withText('one')
  head.giveAway()
  t.equal(text(head.withText('two')), 'HEAD two')
  t.equal(text(waiting), 'HEAD one')
})
