// The access log.

import t from 'tap'
import { type AccessEntry, AccessLog } from './access-log.ts'
import { noTotals } from './metrics.ts'
import { silentLog } from './test-support.ts'

const entry: AccessEntry = {
  method: 'POST',
  target: '/',
  status: 200,
  backend: 'a:1',
  pinned: null,
  instanceId: null,
  stream: false,
  durationMs: 1.23456,
  reason: null,
  traceId: null,
  spanId: null,
}

function open(every: number) {
  const lines: object[] = []
  const totals = { ...noTotals }
  let nowMs = 0
  const log = new AccessLog(
    { ...silentLog, info: (fields) => lines.push(fields) },
    every,
    totals,
    () => nowMs,
  )
  return {
    lines,
    totals,
    log,
    tick: () => {
      nowMs += 1_000
    },
  }
}

t.test('logs one in so many requests, and every failure', async (t) => {
  const { lines, log } = open(10)
  for (let request = 0; request < 100; request++) log.write(entry)
  t.equal(lines.length, 10)
  t.same(lines[0], {
    method: 'POST',
    target: '/',
    status: 200,
    backend: 'a:1',
    stream: false,
    durationMs: 1.235,
  })
  log.write({ ...entry, status: 503, reason: 'gone' })
  log.write({ ...entry, status: 500 })
  t.equal(lines.length, 12)
})

t.test('writes a bounded number of lines a second, and counts the rest', async (t) => {
  const { lines, totals, log, tick } = open(1)
  for (let request = 0; request < 1_500; request++) log.write({ ...entry, target: '/'.repeat(5_000) })
  t.equal(lines.length, 1_000)
  t.equal(totals.accessLogDropped, 500)
  t.equal((lines[0] as AccessEntry).target.length, 200)
  tick()
  log.write(entry)
  t.equal(lines.length, 1_001)
})
