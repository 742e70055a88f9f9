#!/usr/bin/env zx
// Autoscale: component servers follow the load from 2 to 5 pods and back, and no run fails.
//
//   npx zx scenarios/autoscale.mjs --cluster kubernetes --help

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary:
    'An autoscaler follows the load up and down: in time, with runs as quick as wanted, and no run fails',
  clusters: ['kubernetes'],
  durationMs: 20_000,
  leastDurationMs: 10_000,
  replicas: { 'component-server': 2 },
  checkers: ['no-run-failed'],

  async run(t) {
    const [fewest, most] = [2, 5]
    const workload = t.workload('fibonacci')
    const enough = new AbortController()
    const scaled = new AbortController()
    const autoscaler = await t.autoscale('component-server', {
      min: fewest,
      max: most,
      cpuPercent: 60,
      settleSeconds: 15,
    })

    t.window('low load')
    // Streams, which a pod that goes must end well, and simple runs that keep the processors busy.
    const base = t.load('base', {
      workload: t.workload('bidirectional'),
      profile: { kind: 'constant', rateRps: 4, durationMs: 900_000 },
      until: enough.signal,
    })
    await t.pause(t.durationMs / 4)

    // 50 requests/s of some 6 ms: 150 % of what two pods ask for.
    const from = t.window('rising load')
    const rising = t.load('rising', {
      workload,
      profile: { kind: 'constant', rateRps: 50, durationMs: 300_000 },
      until: scaled.signal,
    })
    const up = await autoscaler.reached(most, from, 240_000)
    scaled.abort()
    await rising

    t.window('scaled')
    const high = await t.load('scaled', {
      workload,
      profile: { kind: 'constant', rateRps: 50, durationMs: t.durationMs },
    })

    const until = t.window('falling load')
    const down = await autoscaler.reached(fewest, until, 300_000)
    await t.pause(t.durationMs / 4)
    enough.abort()
    await base
    await autoscaler.end()
    t.window('settle')
    await t.settle()

    t.threshold('autoscale-up', up ?? { unknown: `there were never ${most} ready pods` }, 1)
    t.threshold('autoscale-down', down ?? { unknown: `there were never ${fewest} pods again` }, 1)
    t.latency('autoscale-p95', 'p95Ms', high)
    await t.checkInvariants()
    await t.readySeries('component-server')
  },
})
