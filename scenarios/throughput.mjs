#!/usr/bin/env zx
// Throughput: each component pod serves its share of a fixed arrival rate, and the runtime carries many runs at once.
//
//   npx zx scenarios/throughput.mjs --help

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary:
    'Every component pod serves 100 requests/s second by second, and the runtime carries 50 runs at once',
  durationMs: 10_000,
  suiteDurationMs: 5_000,
  leastDurationMs: 4_000,
  takesFlow: true,
  checkers: ['no-run-failed'],

  async run(t) {
    const pods = await t.readyPods('component-server')
    const warmUpMs = 1_000

    // Open model: arrivals come at their planned times, whatever the system does with the ones before.
    t.window('warm-up')
    const arrivals = t.load('arrival rate', {
      workload: t.workload('double'),
      profile: { kind: 'constant', rateRps: 100 * pods.length, durationMs: t.durationMs + warmUpMs },
    })
    await t.pause(warmUpMs)
    t.window('arrival rate')
    const rate = await arrivals

    // Closed model: 80 users keep more than 50 runs in flight, each with a callback on either side of its hold.
    t.window('ramp')
    const concurrent = t.load('concurrent', {
      workload: t.workload('hold', { inputs: 2_000, holdMs: 250, builtIn: true }),
      profile: { kind: 'concurrent', users: 80, durationMs: t.durationMs },
    })
    await t.pause(warmUpMs)
    const from = t.window('concurrent')
    const { startedAt } = await concurrent
    t.window('settle')
    await t.settle()

    await t.checkInvariants()
    await t.podRate('pod-rate', { load: rate, warmUpMs, pods: pods.length })
    // Users stop at the end of the load's time; what is open then still ends, and is no longer replaced.
    const until = startedAt + t.durationMs * 1000 - 100_000
    await t.runsInFlight('concurrent-runs', { from, until })
    await t.runTime('concurrent-run-time', { from, until })
  },
})
