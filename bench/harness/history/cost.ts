// What the records of a trial cost: CPU time of all pods for each run, with records and without, interleaved.
//
//   npm run bench:history
//
// Both arms are the same processes, which take their records up and off again (switch.ts): two clusters of the same
// program differ by 4 %, as long as they live.

import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processIds } from '../../../chaos/faults/pods.ts'
import { appNames, type Cluster, type Role } from '../../../contracts/cluster.ts'
import type { LoadEngine } from '../../../contracts/load.ts'
import { startCluster } from '../../../harness/cluster/index.ts'
import { createEmbeddedEngine } from '../../../harness/load/index.ts'
import { seededRandom } from '../../../harness/scenario/random.ts'
import { builtInWorkload } from '../../../harness/scenario/workloads.ts'
import { loadKoffi } from '../../../system/program/mapped-file.ts'
import { cpuUs, median } from '../../balancer/proc.ts'
import { commandFlags } from '../../command.ts'
import { reportGoals } from '../../goals.ts'

const { pairs, clusters, rate, buffer } = commandFlags(
  'npm run bench:history -- [flags]',
  'Measures what the records of a trial cost: CPU time of all pods for each run, with records and without.',
  {
    pairs: {
      kind: 'whole',
      default: 120,
      min: 1,
      max: 10_000,
      env: 'BENCH_PAIRS',
      help: 'Pairs of rounds of a second; the order within a pair alternates',
    },
    clusters: {
      kind: 'whole',
      default: 3,
      min: 1,
      max: 100,
      env: 'BENCH_CLUSTERS',
      help: 'Clusters that are started, one after the other; each has its part of the pairs',
    },
    rate: {
      kind: 'whole',
      default: 100,
      min: 1,
      max: 10_000,
      env: 'BENCH_RATE',
      help: 'Runs a second; well below what the machine can do, so that the cost is CPU time, not runs unserved',
    },
    buffer: {
      kind: 'choice',
      choices: ['mapped', 'none'],
      default: 'mapped',
      env: 'BENCH_BUFFER',
      help: 'Where records wait: in mapped memory, as in a local cluster, or, as on Kubernetes, nowhere',
    },
  },
)
const roundMs = 1_000
/** After it the programs are compiled as they stay: 10 s at this rate. */
const warmUp = { rounds: 10, rateRps: 400 }

if (buffer === 'mapped' && loadKoffi() === null) {
  process.stderr.write('koffi has no build for this machine, or was left out: npm ci, or --buffer none\n')
  process.exit(1)
}

const roles = Object.keys(appNames) as Role[]
const replicas = { runtime: 1, balancer: 2, 'component-server': 3 }
const nodeArgs = ['--import', fileURLToPath(import.meta.resolve('./switch.ts'))]
const everyRole = <T>(value: T): Record<Role, T> =>
  Object.fromEntries(roles.map((role) => [role, value])) as Record<Role, T>

/** CPU time of `pids` for each run of one round, µs. */
async function round(
  cluster: Cluster,
  pids: readonly number[],
  engine: LoadEngine,
  rateRps: number,
): Promise<number> {
  const before = cpuUs(pids)
  const load = await engine.run({
    target: { kind: 'runs', url: await cluster.serviceUrl('runtime') },
    workload: builtInWorkload('bidirectional', seededRandom(1)),
    profile: { kind: 'constant', rateRps, durationMs: roundMs },
  })
  return (cpuUs(pids) - before) / load.completed
}

const recorded: number[] = []
const silent: number[] = []
await using engine = await createEmbeddedEngine()
for (let number = 0; number < clusters; number++) {
  await using cluster = await startCluster('local', {
    replicas,
    nodeArgs: everyRole(nodeArgs),
    env: buffer === 'mapped' ? {} : everyRole({ HISTORY_BUFFER: '' }),
  })
  const pods = (await Promise.all(roles.map((role) => cluster.pods(role)))).flat()
  const pids = await processIds({ cluster, pods })
  let records = true
  const turn = async (on: boolean): Promise<void> => {
    if (on === records) return
    records = on
    for (const pid of pids) process.kill(pid, 'SIGUSR2')
    await delay(30)
  }
  for (let done = 0; done < warmUp.rounds; done++) {
    await turn(done % 2 === 0)
    await round(cluster, pids, engine, warmUp.rateRps)
  }
  const until = Math.round(((number + 1) * pairs) / clusters)
  while (recorded.length < until) {
    for (const on of recorded.length % 2 === 0 ? [true, false] : [false, true]) {
      await turn(on)
      const used = await round(cluster, pids, engine, rate)
      ;(on ? recorded : silent).push(used)
    }
  }
}
// The medians of pairs that ran side by side: a machine that grows slower weighs on both of a pair.
const ratios = recorded.map((used, pair) => used / silent[pair]!)
const cost = (median(ratios) - 1) * 100
const bounds = medianBounds(ratios).map((ratio) => (ratio - 1) * 100)
process.stdout.write(
  `CPU time of all pods a run: ${median(recorded).toFixed(0)} µs with records, ${median(silent).toFixed(0)} µs without; cost ${bounds.map((bound) => bound.toFixed(1)).join(' to ')} % with 95 % confidence (buffer: ${buffer}, ${rate} runs/s)\n`,
)
reportGoals(
  'history',
  [{ name: 'history-cost', measured: cost, target: 5, comparison: 'at most', unit: '%' }],
  { buffer, rate, bounds, ratios, recorded, silent },
)

/** 95 % confidence bounds of the median, from the order of the values alone (binomial, by its normal approximation). */
function medianBounds(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b)
  const reach = 0.98 * Math.sqrt(sorted.length)
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach))
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach) - 1)
  return [sorted[low]!, sorted[high]!]
}
