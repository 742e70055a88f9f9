// A rolling restart of all component servers, then of both balancers, under load: no run fails, and each new pod
// takes work within 2 s of being ready, by DNS.

import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import type { Cluster, Pod } from '../../contracts/cluster.ts'
import type { LoadOptions, LoadResult } from '../../contracts/load.ts'
import { startLocalCluster } from '../../harness/cluster/local/index.ts'
import { createEmbeddedEngine } from '../../harness/load/index.ts'
import { builtInWorkload } from '../../harness/scenario/workloads.ts'

const holdFile = fileURLToPath(new URL('../../scenarios/components/hold.ts', import.meta.url))
const maxDelayUs = 2_000_000

test('no run fails while every component server and both balancers are replaced', async (t) => {
  await using cluster = await startLocalCluster({ componentFiles: [holdFile] })
  await using engine = await createEmbeddedEngine()
  const target = { kind: 'runs', url: await cluster.serviceUrl('runtime') } as const
  const enough = new AbortController()
  const until = (options: Omit<LoadOptions, 'target' | 'signal'>): Promise<LoadResult> =>
    engine.run({ ...options, target, signal: enough.signal })
  const loads = Promise.all([
    until({
      workload: builtInWorkload('double', Math.random),
      profile: { kind: 'constant', rateRps: 100, durationMs: 120_000 },
      requestPrefix: 'double',
    }),
    // Each holds a stream with a callback in it open for half a second.
    until({
      workload: builtInWorkload('hold', Math.random, { holdMs: 500 }),
      profile: { kind: 'concurrent', users: 10, durationMs: 120_000 },
      requestPrefix: 'hold',
    }),
  ])
  const first = new Set((await cluster.pods('component-server')).map(({ name }) => name))
  const balancers = await cluster.pods('balancer')
  await cluster.rolloutRestart('component-server')
  const fresh = await cluster.waitReady('component-server')
  t.notOk(fresh.some(({ name }) => first.has(name)))
  for (const balancer of balancers) {
    for (const pod of fresh) {
      const delayUs = await workDelayUs(cluster, balancer, pod)
      t.ok(delayUs < maxDelayUs, `${balancer.name} gave ${pod.name} work after ${delayUs / 1_000} ms`)
    }
  }
  await cluster.rolloutRestart('balancer')
  const names = new Set(balancers.map(({ name }) => name))
  t.notOk((await cluster.waitReady('balancer')).some(({ name }) => names.has(name)))
  enough.abort()
  for (const load of await loads) {
    t.ok(load.completed > 20, `${load.workload}: ${load.completed} completed`)
    // Runs open when the load is told to end are interrupted: neither good nor bad.
    const errors = load.errors.filter(({ text }) => text !== 'interrupted')
    t.same([load.failed, load.incorrect, errors], [0, 0, []])
  }
})

/** From the moment `pod` was ready until `balancer` counted it among those that take work, µs. */
async function workDelayUs(cluster: Cluster, balancer: Pod, pod: Pod): Promise<number> {
  const backend = `${pod.address}:${pod.port}`
  for (;;) {
    const records = (await cluster.history(balancer.name))
      .split('\n')
      .filter((line) => line.includes('"backend.state"') && line.includes('"state":"ready"'))
      .map((line) => JSON.parse(line) as { readonly at: number; readonly backend: string })
    const taken = records.find((record) => record.backend === backend && record.at > pod.createdAt)
    if (taken !== undefined) return taken.at - (pod.readyAt ?? 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
