#!/usr/bin/env zx
// Network: who can talk to whom under the network policies, tried by stand-ins for every party.
//
//   npx zx scenarios/network.mjs --cluster kubernetes

import { scenario } from '../harness/start.mjs'

await scenario(import.meta, {
  summary: 'Whoever the flow matrix allows to talk gets through, and nobody else where policies are enforced',
  clusters: ['kubernetes'],
  durationMs: 1_000,

  async run(t) {
    t.window('network')
    await t.flows()
  },
})
