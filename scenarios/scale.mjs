#!/usr/bin/env zx
// Scale: component servers 3 to 6 to 2, then balancers 2 to 4 to 1, under load, with no failed run.
//
//   npx zx scenarios/scale.mjs --help

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Component servers scale 3 to 6 to 2 and balancers 2 to 4 to 1 under load, and no run fails',
  durationMs: 5_000,
  suiteDurationMs: 2_000,
  leastDurationMs: 2_000,
  checkers: ['no-run-failed', 'ejected-in-time'],

  async run(t) {
    const enough = new AbortController()
    const whole = { durationMs: t.durationMs + 240_000 }
    t.window('three pods')
    // Streams that are open while pods go, and a base of simple runs.
    const streams = t.load('streams', {
      workload: t.workload('hold', { inputs: 4_000, holdMs: 500 }),
      profile: { kind: 'concurrent', users: 20, ...whole },
      until: enough.signal,
    })
    const base = t.load('base', {
      workload: t.workload('double'),
      profile: { kind: 'constant', rateRps: 150, ...whole },
      until: enough.signal,
    })
    await t.pause(500)

    await t.scale({ 'component-server': 6 })
    t.window('six pods')
    const more = await t.load('more', {
      workload: t.workload('double'),
      profile: { kind: 'constant', rateRps: 450, durationMs: t.durationMs },
    })
    await t.scale({ 'component-server': 2 })
    t.window('two pods')
    await t.pause(500)

    await t.scale({ balancer: 4 })
    t.window('four balancers')
    await t.pause(500)
    await t.scale({ balancer: 1 })
    t.window('one balancer')
    await t.pause(500)

    enough.abort()
    await Promise.all([streams, base])
    t.window('settle')
    await t.settle()

    await t.servedRate('scale-rate', 'double', more)
    await t.checkInvariants()
  },
})
