// What the records of a trial cost: CPU time of all pods for each run, with history and without, interleaved.
//
//   npm run bench:history

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { appNames, type Cluster, type Role } from '../../../contracts/cluster.ts'
import type { LoadEngine } from '../../../contracts/load.ts'
import { startCluster } from '../../../harness/cluster/index.ts'
import { createEmbeddedEngine } from '../../../harness/load/index.ts'
import { seededRandom } from '../../../harness/scenario/random.ts'
import { builtInWorkload } from '../../../harness/scenario/workloads.ts'
import { commandFlags } from '../../command.ts'
import { reportGoals } from '../../goals.ts'

const { pairs } = commandFlags(
  'npm run bench:history -- [flags]',
  'Measures what the records of a trial cost: CPU time of all pods for each run, with history and without.',
  {
    pairs: {
      kind: 'whole',
      default: 12,
      min: 1,
      max: 1_000,
      env: 'BENCH_PAIRS',
      help: 'Pairs of rounds; the order within a pair alternates',
    },
  },
)
const roundMs = 2_000
/** Well below what the machine can do: the cost is then in CPU time, not in runs that were not served. */
const rateRps = 100
/** Kernel clock ticks a second, in which /proc counts CPU time. */
const ticksPerSecond = 100

const roles = Object.keys(appNames) as Role[]
const none = Object.fromEntries(roles.map((role) => [role, { HISTORY_FILE: '' }]))

interface Round {
  readonly cpuUs: number
  readonly p50Ms: number | null
}

/** CPU time of every pod's program so far, µs. */
async function cpuTime(cluster: Cluster): Promise<number> {
  let ticks = 0
  for (const role of roles) {
    for (const { name } of await cluster.pods(role)) {
      const pid = await cluster.hooks?.processId?.(name)
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      ticks += Number(fields[11]) + Number(fields[12])
    }
  }
  return (ticks / ticksPerSecond) * 1e6
}

async function round(cluster: Cluster, engine: LoadEngine): Promise<Round> {
  const before = await cpuTime(cluster)
  const load = await engine.run({
    target: { kind: 'runs', url: await cluster.serviceUrl('runtime') },
    workload: builtInWorkload('bidirectional', seededRandom(1)),
    profile: { kind: 'constant', rateRps, durationMs: roundMs },
  })
  const used = (await cpuTime(cluster)) - before
  return { cpuUs: used / load.completed, p50Ms: load.latency.p50Ms }
}

const replicas = { runtime: 1, balancer: 2, 'component-server': 3 }
await using engine = await createEmbeddedEngine()
await using recorded = await startCluster('local', { replicas })
await using silent = await startCluster('local', { replicas, env: none })
const arms = { with: [] as Round[], without: [] as Round[] }
// One unmeasured pair warms both up.
for (let pair = 0; pair <= pairs; pair++) {
  const order = pair % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)
  for (const arm of order) {
    const result = await round(arm === 'with' ? recorded : silent, engine)
    if (pair > 0) arms[arm].push(result)
  }
}
// The medians of pairs that ran side by side: a machine that grows slower weighs on both of a pair.
const ratios = arms.with.map(({ cpuUs }, i) => cpuUs / arms.without[i]!.cpuUs)
const cost = (median(ratios) - 1) * 100
const details = {
  file: join('bench', 'harness', 'history', 'cost.ts'),
  cpuUsWith: median(arms.with.map(({ cpuUs }) => cpuUs)),
  cpuUsWithout: median(arms.without.map(({ cpuUs }) => cpuUs)),
  ...{ ratios, arms },
}
process.stdout.write(
  `CPU time of all pods a run: ${details.cpuUsWith.toFixed(0)} µs with history, ${details.cpuUsWithout.toFixed(0)} µs without\n`,
)
reportGoals(
  'history',
  [{ name: 'history-cost', measured: cost, target: 5, comparison: 'at most', unit: '%' }],
  details,
)

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
