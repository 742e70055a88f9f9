#!/usr/bin/env zx
// Placement: each pod lands on a node that it may be on, or stays Pending for the stated reason.
//
//   npx zx scenarios/placement.mjs --cluster kubernetes

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary:
    'GPU component servers land on nodes with a free GPU or wait for the stated reason, all others stay off those nodes',
  clusters: ['kubernetes'],
  durationMs: 1_000,

  async run(t) {
    t.window('placement')
    await t.placements()
  },
})
