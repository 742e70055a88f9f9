#!/usr/bin/env zx
// Affinity: every callback's reply reaches the pod that opened the stream, also while pods come and go.
//
//   npx zx scenarios/affinity.mjs --help

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Every reply to a callback reaches the pod that opened its stream, also while pods come and go',
  durationMs: 2_000,
  suiteDurationMs: 2_000,
  leastDurationMs: 2_000,
  checkers: ['no-run-failed', 'callbacks-cross'],

  async run(t) {
    const users = 200
    const workload = t.workload('hold', { inputs: 4_000, holdMs: 800 })

    // Hundreds of streams at once, on pods that stay.
    const steadyFrom = t.window('steady')
    await t.load('steady', { workload, profile: { kind: 'concurrent', users, durationMs: t.durationMs } })
    const steadyUntil = t.window('settle')
    await t.settle()

    // The same load while component servers and balancers come and go.
    const scalingFrom = t.window('scaling')
    const enough = new AbortController()
    const load = t.load('scaling', {
      workload,
      profile: { kind: 'concurrent', users, durationMs: 240_000 },
      until: enough.signal,
    })
    await t.pause(300)
    await t.scale({ 'component-server': 5, balancer: 3 })
    await t.pause(1_000)
    // Three times as long as a stream lives: each that was open at the pods that leave ends under load.
    const end = async () => {
      await t.pause(2_500)
      enough.abort()
      await load
    }
    await Promise.all([t.scale({ 'component-server': 3, balancer: 2 }), end()])
    const scalingUntil = t.window('settle')
    await t.settle()

    await t.checkInvariants()
    await t.fairness({ from: steadyFrom, until: steadyUntil }, 'steady')
    await t.fairness({ from: scalingFrom, until: scalingUntil }, 'scaling')
  },
})
