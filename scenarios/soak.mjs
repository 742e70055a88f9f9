#!/usr/bin/env zx
// Soak: a steady load for minutes to days, and nothing grows: memory, timers and sockets of every pod, latencies.
//
//   npx zx scenarios/soak.mjs --duration 8h

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Under a steady load for minutes to days, memory, timers, sockets and latencies do not grow',
  durationMs: 180_000,
  // Warm-up, and three readings a second for each of eight points.
  leastDurationMs: 20_000,
  mostDurationMs: 30 * 24 * 3_600_000,
  checkers: ['no-run-failed', 'trends-flat'],

  async run(t) {
    // Every run is on record, and judged at the end: a long soak has a lower rate, so that they fit in memory.
    const rateRps = Math.min(40, 80_000 / (t.durationMs / 1000))
    const profile = { kind: 'constant', durationMs: t.durationMs }
    t.window('soak')
    const loads = [
      t.load('direct', { workload: t.workload('double'), profile: { ...profile, rateRps } }),
      t.load('streams', {
        workload: t.workload('hold', { inputs: 4_000, holdMs: 300 }),
        profile: { ...profile, rateRps: rateRps / 4 },
      }),
    ]
    await t.whileSampling(Promise.all(loads))
    t.window('settle')
    await t.settle()
    await t.checkInvariants()
  },
})
