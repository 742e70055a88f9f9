// SSE answers on their way through.

import fc from 'fast-check'
import t from 'tap'
import { EventStream } from './event-stream.ts'

function open(): { stream: EventStream; ids: string[] } {
  const ids: string[] = []
  const stream = new EventStream(
    (id) => ids.push(id),
    (id) => ids.splice(ids.indexOf(id), 1),
  )
  return { stream, ids }
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1')
const callback = 'data: {"jsonrpc":"2.0","id":"cb-1","method":"blobs/put","params":{"data":"ü"}}\n\n'

t.test('forwards everything at once but the bytes of a split character', async (t) => {
  const { stream } = open()
  const text = latin1('data: ü\n\n')
  t.equal(stream.take(text.slice(0, 7), false), 'data: ')
  t.equal(stream.betweenEvents, false)
  t.equal(stream.take(text.slice(7), false), latin1('ü\n\n'))
  t.equal(stream.betweenEvents, true)
  t.equal(stream.take(text.slice(0, 7), false), 'data: ')
  t.equal(stream.take('', true), text[6])
})

t.test('knows where another event may follow', async (t) => {
  for (const [text, between] of [
    ['', true],
    ['data: x', false],
    ['data: x\n', false],
    ['data: x\n\n', true],
    ['data: x\r\n\r\n', true],
  ] as const) {
    const { stream } = open()
    stream.take(text, false)
    t.equal(stream.betweenEvents, between, JSON.stringify(text))
    t.equal(stream.gap, between ? '' : '\n\n')
  }
})

t.test('finds callbacks, however the stream is cut', async () => {
  const bytes = latin1(
    `: hello\n\ndata: {"id":"no","result":{"method":1}}\n\n${callback}data:{"method":"x","id":7}\r\n\r\nevent: a\ndata: {"id":"cb-2","method":"m"}\n\ndata: {"method":"notification"}\n\n`,
  )
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
      const { stream, ids } = open()
      let forwarded = ''
      let from = 0
      for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
        forwarded += stream.take(bytes.slice(from, cut), false)
        from = cut
      }
      return forwarded === bytes && JSON.stringify(ids) === JSON.stringify(['"cb-1"', '7', '"cb-2"'])
    }),
  )
})

t.test('keeps a bounded number of callbacks, and nothing of endless events', async (t) => {
  const { stream, ids } = open()
  for (let id = 0; id < 1_000; id++) stream.take(`data: {"id":${id},"method":"m"}\n\n`, false)
  t.equal(ids.length, 256)
  t.equal(ids[0], '744')
  stream.take('data: {"method":"m","params":"', false)
  for (let piece = 0; piece < 100; piece++) stream.take('x'.repeat(10_000), false)
  stream.take('","id":"far"}\n\n', false)
  t.equal(ids.at(-1), '999')
  stream.take(callback, false)
  t.equal(ids.at(-1), '"cb-1"')
})
