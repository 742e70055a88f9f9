#!/usr/bin/env zx
// Overhead: what the balancer and the network add to a request, and how long a call back to the runtime takes.
//
//   npx zx scenarios/overhead.mjs --help

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Balancer and network add at most 10 ms to a request, and a callback takes at most 5 ms',
  durationMs: 12_000,
  suiteDurationMs: 5_000,
  leastDurationMs: 4_000,
  checkers: ['no-run-failed'],

  async run(t) {
    const pods = await t.readyPods('component-server')
    const rateRps = 100 * pods.length
    const workload = t.workload('double')
    const rounds = 4
    const roundMs = Math.round(t.durationMs / 4 / rounds / 2) * 2

    // Interleaved A B B A, so that a machine that grows slower or faster weighs on both alike.
    t.window('warm-up')
    await t.calls('warm-up', { workload, rateRps, durationMs: 500 })
    t.window('direct and balanced')
    const direct = []
    const balanced = []
    for (let round = 0; round < rounds; round += 1) {
      const first = round % 2 === 0
      for (const throughBalancer of [!first, first]) {
        if (throughBalancer)
          balanced.push(await t.calls('balanced', { workload, rateRps, durationMs: roundMs }))
        else
          direct.push(
            ...(await t.callsToPods('direct', { workload, pods, rateRps: 100, durationMs: roundMs })),
          )
      }
    }
    t.overhead({ direct, balanced })

    // No run went through the runtime until now: code that was never run is compiled under load, and waits for itself.
    t.window('warm-up of callbacks')
    await t.load('warm-up of callbacks', {
      workload: t.workload('bidirectional'),
      profile: { kind: 'concurrent', users: 4, durationMs: 2_000 },
    })
    // The time of a callback is taken at the pod, from the write of its request to the reply in hand.
    t.window('callbacks')
    const callbacks = await t.load('callbacks', {
      workload: t.workload('bidirectional'),
      profile: { kind: 'constant', rateRps, durationMs: Math.round(t.durationMs / 2) },
    })
    t.window('settle')
    await t.settle()
    await t.callbackTimes({ from: callbacks.startedAt + 1_000_000, until: callbacks.endedAt })
    await t.checkInvariants()
  },
})
