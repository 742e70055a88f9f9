#!/usr/bin/env zx
// Smoke: a handful of runs of every kind, each result checked by value.
//
//   npx zx scenarios/smoke.mjs --help

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Runs of every kind give the right results: simple, bidirectional, parallel and batch',
  durationMs: 1_000,
  takesFlow: true,
  checkers: ['no-run-failed'],

  async run(t) {
    t.window('smoke')
    let answered = true
    for (const { name, workload, count, padChars } of [
      { name: 'simple', workload: 'double', count: 10 },
      { name: 'bidirectional', workload: 'bidirectional', count: 5 },
      { name: 'parallel', workload: 'parallel', count: 5 },
      { name: 'batch', workload: 'batch', count: 20 },
      // Events of several pieces.
      { name: 'large', workload: 'bidirectional', count: 5, padChars: 70_000 },
    ]) {
      const { unknown } = await t.load(name, {
        workload: t.workload(workload, { inputs: count, padChars }),
        profile: { kind: 'burst', count, concurrency: 5 },
      })
      // A run that hangs is proof enough.
      answered = unknown === 0
      if (!answered) break
    }
    if (answered) await t.checkItems()
    // One at a time: no pod is busy, so only turns spread them, once every pod is known.
    if (answered) await t.untilReadyFor('component-server', 1_100)
    const turns = answered
      ? await t.load('turns', {
          workload: t.workload('double', { builtIn: true }),
          profile: { kind: 'burst', count: 72, concurrency: 1 },
        })
      : null
    await t.settle()
    await t.checkInvariants()
    if (turns !== null) await t.fairness({ from: turns.startedAt, until: turns.endedAt }, 'turns')
  },
})
