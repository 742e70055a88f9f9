// What the records of a trial cost: CPU time of all pods for each run, with history and without, interleaved.
//
//   npm run bench:history

import { join } from 'node:path'
import { processIds } from '../../../chaos/faults/pods.ts'
import { appNames, type Cluster, type Role } from '../../../contracts/cluster.ts'
import type { LoadEngine } from '../../../contracts/load.ts'
import { startCluster } from '../../../harness/cluster/index.ts'
import { createEmbeddedEngine } from '../../../harness/load/index.ts'
import { seededRandom } from '../../../harness/scenario/random.ts'
import { builtInWorkload } from '../../../harness/scenario/workloads.ts'
import { cpuUs, median } from '../../balancer/proc.ts'
import { commandFlags } from '../../command.ts'
import { reportGoals } from '../../goals.ts'

const { pairs } = commandFlags(
  'npm run bench:history -- [flags]',
  'Measures what the records of a trial cost: CPU time of all pods for each run, with history and without.',
  {
    pairs: {
      kind: 'whole',
      default: 60,
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

const roles = Object.keys(appNames) as Role[]
const none = Object.fromEntries(roles.map((role) => [role, { HISTORY_FILE: '' }]))

interface Round {
  readonly cpuUs: number
  readonly p50Ms: number | null
}

/** CPU time of every pod's program so far, µs. */
async function cpuTime(cluster: Cluster): Promise<number> {
  const pods = (await Promise.all(roles.map((role) => cluster.pods(role)))).flat()
  return cpuUs(await processIds({ cluster, pods }))
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
const bounds = medianBounds(ratios).map((ratio) => (ratio - 1) * 100)
const details = {
  file: join('bench', 'harness', 'history', 'cost.ts'),
  cpuUsWith: median(arms.with.map(({ cpuUs }) => cpuUs)),
  cpuUsWithout: median(arms.without.map(({ cpuUs }) => cpuUs)),
  ...{ bounds, ratios, arms },
}
process.stdout.write(
  `CPU time of all pods a run: ${details.cpuUsWith.toFixed(0)} µs with history, ${details.cpuUsWithout.toFixed(0)} µs without; cost ${bounds.map((bound) => bound.toFixed(1)).join(' to ')} % with 95 % confidence\n`,
)
reportGoals(
  'history',
  [{ name: 'history-cost', measured: cost, target: 5, comparison: 'at most', unit: '%' }],
  details,
)

/** 95 % confidence bounds of the median, from the order of the values alone (binomial, by its normal approximation). */
function medianBounds(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b)
  const reach = 0.98 * Math.sqrt(sorted.length)
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach))
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach) - 1)
  return [sorted[low]!, sorted[high]!]
}
