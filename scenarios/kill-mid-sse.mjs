#!/usr/bin/env zx
// Kill in mid-stream: a component pod dies by SIGKILL while many of its streams wait for a callback's reply.
//
//   npx zx scenarios/kill-mid-sse.mjs --help

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary:
    'A component pod killed in mid-stream costs only the runs that were on it, and they fail at once and clearly',
  durationMs: 5_000,
  suiteDurationMs: 3_000,
  leastDurationMs: 3_000,
  checkers: ['blast-radius', 'pod-replaced', 'ejected-in-time', 'goodput-returns'],

  async run(t) {
    const controlFrom = t.window('control')
    const enough = new AbortController()
    const profile = { durationMs: t.durationMs + 120_000 }
    const streams = t.load('streams', {
      workload: t.workload('hold', { inputs: 4_000, holdMs: 400 }),
      profile: { kind: 'concurrent', users: 120, ...profile },
      until: enough.signal,
    })
    const simple = t.load('simple', {
      workload: t.workload('double'),
      profile: { kind: 'constant', rateRps: 60, ...profile },
      until: enough.signal,
    })
    await t.pause(t.durationMs / 3)

    // The runtime stands still for a moment, so that the streams' callbacks are surely unanswered at the kill.
    const controlUntil = t.window('fault')
    const [runtime] = await t.readyPods('runtime')
    const victim = t.pick(await t.readyPods('component-server'))
    await t.untilGauge(victim, 'stepflow_component_server_streams_open', 30)
    const thaw = await t.chaos(
      'freeze runtime',
      { role: 'runtime', pod: runtime.name, detail: 'SIGSTOP' },
      () => t.cluster.signalPod(runtime.name, 'SIGSTOP'),
    )
    let kill
    try {
      // Shorter than it takes to be found not ready: the runtime must go on serving.
      await t.untilGauge(victim, 'stepflow_component_server_callbacks_unanswered', 30, 2_000)
      kill = await t.kill(victim)
    } finally {
      await t.cluster.signalPod(runtime.name, 'SIGCONT')
      thaw()
    }
    await t.replaced(kill)

    t.window('recovery')
    await t.pause(t.durationMs / 3)
    enough.abort()
    await Promise.all([streams, simple])
    t.window('settle')
    await t.settle()

    await t.streamsAtKill('streams-at-kill', kill)
    await t.failFast('fail-fast', kill)
    await t.recovery(kill, { workload: 'double', from: controlFrom + 500_000, until: controlUntil })
    await t.checkInvariants()
  },
})
