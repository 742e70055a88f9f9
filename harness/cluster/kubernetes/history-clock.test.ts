import { test } from 'tap'
import { shiftLines, shiftOf } from './history-clock.ts'

const started = (at: number, wallMs: number): string =>
  `{"at":${at},"kind":"process.started","witness":"balancer","pod":"a","pid":7,"wallMs":${wallMs}}`

test('the same machine needs no shift, whatever the rounding', async (t) => {
  t.equal(shiftOf(started(5_000_000, 1_005_000), 1_000_000), 0)
  t.equal(shiftOf(started(5_000_000, 1_005_001), 1_000_000), 0)
})

test("another machine's records move by the difference of the clocks", async (t) => {
  // It was started 100 s after this one.
  t.equal(shiftOf(started(5_000_000, 1_105_000), 1_000_000), 100_000_000)
  t.equal(
    shiftLines('{"at":1,"kind":"a","x":"{\\"at\\":1"}\n{"at":2.5,"kind":"b"}\n', 10),
    '{"at":11,"kind":"a","x":"{\\"at\\":1"}\n{"at":12.5,"kind":"b"}\n',
  )
  t.equal(
    shiftLines('["call.sent",1,"[\\"a\\",1",2]\n["run.ended",20,"r"]\n', 10),
    '["call.sent",11,"[\\"a\\",1",2]\n["run.ended",30,"r"]\n',
  )
})

test('a history that does not begin with a start stays as it is', async (t) => {
  t.equal(shiftOf('{"at":1,"kind":"run.ended"}', 1), 0)
})
