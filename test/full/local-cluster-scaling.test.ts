// The real system on a local cluster: pods come and go under load, and no run fails.

import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import type { LoadOptions, LoadResult } from '../../contracts/load.ts'
import { startLocalCluster } from '../../harness/cluster/local/index.ts'
import { createEmbeddedEngine } from '../../harness/load/index.ts'
import { builtInWorkload } from '../../harness/scenario/workloads.ts'

const holdFile = fileURLToPath(new URL('../../scenarios/components/hold.ts', import.meta.url))

test('no run fails while component servers and balancers scale up and down', async (t) => {
  await using cluster = await startLocalCluster({ componentFiles: [holdFile] })
  await using engine = await createEmbeddedEngine()
  const target = { kind: 'runs', url: await cluster.serviceUrl('runtime') } as const
  const enough = new AbortController()
  const until = (options: Omit<LoadOptions, 'target' | 'signal'>): Promise<LoadResult> =>
    engine.run({ ...options, target, signal: enough.signal })
  const loads = Promise.all([
    until({
      workload: builtInWorkload('double', Math.random),
      profile: { kind: 'constant', rateRps: 100, durationMs: 60_000 },
      requestPrefix: 'double',
    }),
    until({
      workload: builtInWorkload('hold', Math.random, { holdMs: 500 }),
      profile: { kind: 'concurrent', users: 10, durationMs: 60_000 },
      requestPrefix: 'hold',
    }),
  ])
  for (const [role, replicas] of [
    ['component-server', 6],
    ['component-server', 2],
    ['balancer', 4],
    ['balancer', 1],
  ] as const) {
    await cluster.scale(role, replicas)
    t.equal((await cluster.waitReady(role)).length, replicas)
  }
  enough.abort()
  for (const load of await loads) {
    t.ok(load.completed > 20, `${load.workload}: ${load.completed} completed`)
    // Runs open when the load is told to end are interrupted: neither good nor bad.
    const errors = load.errors.filter(({ text }) => text !== 'interrupted')
    t.same([load.failed, load.incorrect, errors], [0, 0, []])
  }
})
