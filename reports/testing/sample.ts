// Made-up results of a suite, as real ones look: for the page's stories and for tests.

import { build as buildHistogram, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import type { ChaosEvent, PodState, Role, WindowStarted } from '../../contracts/history.ts'
import type { LoadResult, LoadSecond, Profile } from '../../contracts/load.ts'
import type {
  AffinityMatrix,
  CheckerResult,
  EnvironmentInfo,
  PodActivity,
  Results,
  ScenarioResult,
  ThresholdResult,
} from '../../contracts/results.ts'
import type { NamedTarget } from '../../contracts/targets.ts'
import { judgeThreshold, notMeasured } from '../judge/threshold.ts'
import { suiteVerdict, verdictOf } from '../judge/verdict.ts'

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const second = 1_000_000
/** CLOCK_MONOTONIC at the start of every sample suite, µs: a machine up for nine days. */
const bootedAt = 777_600 * second

export interface LoadSpec {
  readonly workload: string
  readonly profile?: Profile
  /** µs of CLOCK_MONOTONIC. */
  readonly startedAt: number
  readonly seconds: number
  readonly rateRps: (second: number) => number
  readonly typicalMs: number
  /** Factor on the latency in a second; default 1. */
  readonly slowdown?: (second: number) => number
  /** Runs failed in a second; default 0. */
  readonly failing?: (second: number) => number
  readonly dropped?: number
  readonly lagMs?: number
  readonly utilization?: number
  readonly errors?: LoadResult['errors']
}

/** A load whose histogram, percentiles, seconds and counts agree with each other. */
export function sampleLoad(spec: LoadSpec, random: () => number): LoadResult {
  const all = newHistogram()
  const histogram = newHistogram()
  const lag = spec.lagMs ?? 1.2
  const seconds: LoadSecond[] = []
  let [offered, completed, failed] = [0, 0, 0]
  for (let index = 0; index < spec.seconds; index += 1) {
    const planned = Math.round(spec.rateRps(index))
    const failing = Math.min(planned, spec.failing?.(index) ?? 0)
    const slow = spec.slowdown?.(index) ?? 1
    histogram.reset()
    for (let run = 0; run < planned - failing; run += 1) {
      const tail = random() < 0.02 ? 3 + 4 * random() : 1
      const us = Math.max(200, spec.typicalMs * 1_000 * slow * tail * (0.75 + 0.5 * random()))
      histogram.recordValue(Math.round(us))
      all.recordValue(Math.round(us))
    }
    offered += planned
    completed += planned - failing
    failed += failing
    const meanMs = spec.typicalMs * slow
    seconds.push({
      second: index,
      planned,
      offered: planned,
      completed: planned - failing,
      failed: failing,
      open: Math.max(0, Math.round((planned * meanMs) / 1_000 + 2 * random())),
      p50Ms: percentile(histogram, 50),
      p99Ms: percentile(histogram, 99),
      lagMs: round(lag * (0.4 + 0.6 * random())),
    })
  }
  const achievedRps = round(offered / spec.seconds)
  const latencies = all.totalCount
  const { profile = { kind: 'constant', rateRps: achievedRps, durationMs: spec.seconds * 1_000 } } = spec
  const open = profile.kind === 'constant' || profile.kind === 'steps'
  return {
    engine: 'embedded',
    workload: spec.workload,
    profile,
    startedAt: spec.startedAt,
    endedAt: spec.startedAt + spec.seconds * second + Math.round(spec.typicalMs * 1_000),
    planned: open ? offered + (spec.dropped ?? 0) : null,
    offered,
    completed,
    failed,
    refused: 0,
    unknown: 0,
    dropped: spec.dropped ?? 0,
    incorrect: 0,
    offeredRps: open ? round((offered + (spec.dropped ?? 0)) / spec.seconds) : null,
    achievedRps,
    latency: {
      count: latencies,
      minMs: latencies === 0 ? null : all.minNonZeroValue / 1_000,
      meanMs: latencies === 0 ? null : round(all.mean / 1_000),
      p50Ms: percentile(all, 50),
      p90Ms: percentile(all, 90),
      p95Ms: percentile(all, 95),
      p99Ms: percentile(all, 99),
      maxMs: latencies === 0 ? null : all.maxValue / 1_000,
    },
    histogram: encodeIntoCompressedBase64(all),
    lag: { p50Ms: round(lag * 0.1), p99Ms: round(lag * 0.8), maxMs: lag },
    generatorUtilization: spec.utilization ?? 0.31,
    seconds,
    errors: spec.errors ?? [],
  }
}

function newHistogram(): ReturnType<typeof buildHistogram> {
  return buildHistogram({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  })
}

function percentile(histogram: ReturnType<typeof buildHistogram>, which: number): number | null {
  return histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(which) / 1_000
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}

const suffixes = ['x2x8q', 'k9d4w', 'm7p2z', 'r5t6c', 'b3n8v', 'h4j7s', 'q6w9e', 'z2c5f', 'p8l3g', 'v7b6n']

/** `component-server-7d9f8b6c5-x2x8q` and so on. */
export function podNames(role: Role, count: number, from = 0): readonly string[] {
  const prefix = { runtime: 'stepflow-server-6c8d7f5b9', balancer: 'pingora-lb-5f4d9c8b7' }
  const start = role === 'component-server' ? 'component-server-7d9f8b6c5' : prefix[role]
  return Array.from({ length: count }, (_, index) => {
    const turn = Math.floor((from + index) / suffixes.length)
    return `${start}-${suffixes[(from + index) % suffixes.length]}${turn === 0 ? '' : turn}`
  })
}

interface PodSpec {
  readonly pod: string
  readonly role?: Role
  /** Seconds from the scenario's start; null: to the end. */
  readonly from?: number
  readonly until?: number | null
}

function sampleActivity(
  spec: PodSpec,
  scenario: { readonly startedAt: number; readonly seconds: number },
  rate: (second: number) => number,
  random: () => number,
): PodActivity {
  const from = spec.from ?? 0
  const until = spec.until ?? null
  const callsPerSecond = Array.from({ length: scenario.seconds }, (_, index) => {
    const alive = index >= Math.floor(from) && (until === null || index < until)
    const share = until !== null && index + 1 > until ? until - index : 1
    return alive ? Math.max(0, Math.round(rate(index) * share + (random() - 0.5) * 3)) : 0
  })
  return {
    pod: spec.pod,
    role: spec.role ?? 'component-server',
    instanceId: `${spec.pod}-${Math.floor(random() * 0xffff_ffff)
      .toString(16)
      .padStart(8, '0')}`,
    callsPerSecond,
    calls: callsPerSecond.reduce((sum, calls) => sum + calls, 0),
    readyFrom: scenario.startedAt + from * second,
    readyUntil: until === null ? null : scenario.startedAt + until * second,
  }
}

function checker(
  name: string,
  claim: string,
  examined: number,
  reason: string,
  more: Partial<CheckerResult> = {},
): CheckerResult {
  return { kind: 'checker', name, claim, outcome: 'pass', reason, examined, ...more }
}

/** The scenario that measures each target. */
const measuredBy: Readonly<Record<string, string>> = {
  'pod-rate': 'throughput',
  'concurrent-runs': 'throughput',
  'concurrent-run-time': 'throughput',
  'overhead-p50': 'overhead',
  'overhead-p95': 'overhead',
  'callback-p50': 'overhead',
  'callback-p95': 'overhead',
  fairness: 'affinity',
  'streams-at-kill': 'kill-mid-sse',
  'fail-fast': 'kill-mid-sse',
  'scale-rate': 'scale',
}

function threshold(
  name: string,
  claim: string,
  [comparison, target, unit]: readonly ['at most' | 'at least', number, NamedTarget['unit']],
  measured: number,
  statistic: string,
  window: string,
  samples: number,
  ifMissed?: 'INVALID',
): ThresholdResult {
  const missed = ifMissed === undefined ? {} : { ifMissed }
  const scenario = measuredBy[name] ?? 'load'
  const wanted = { name, claim, comparison, target, unit, statistic, window, scenario, ...missed }
  return judgeThreshold(wanted, measured, samples)
}

const noHang = 'Every run comes to an end'
const rightValues = 'Every completed run has the right value'

function windowAt(scenario: string, startedAt: number, seconds: number, window: string): WindowStarted {
  return { at: startedAt + Math.round(seconds * second), kind: 'window', scenario, window }
}

function chaosAt(
  startedAt: number,
  seconds: number,
  name: string,
  phase: ChaosEvent['phase'],
  more: Partial<ChaosEvent> = {},
): ChaosEvent {
  return { at: startedAt + Math.round(seconds * second), kind: 'chaos', name, phase, ...more }
}

function podAt(
  startedAt: number,
  seconds: number,
  pod: string,
  phase: PodState['phase'],
  ready: boolean,
  role: Role = 'component-server',
): PodState {
  const address = `127.63.1.${10 + (Number.parseInt(pod.slice(-3), 36) % 200)}:8080`
  return {
    at: startedAt + Math.round(seconds * second),
    kind: 'pod.state',
    role,
    pod,
    address,
    phase,
    ready,
    restarts: 0,
  }
}

interface Draft extends Omit<ScenarioResult, 'verdict' | 'seed' | 'replay'> {}

function finish(draft: Draft, seed: number): ScenarioResult {
  return {
    ...draft,
    verdict: verdictOf(draft.judgements, draft.ended),
    seed,
    replay: `npx zx scenarios/${draft.scenario}.mjs --seed ${seed}`,
  }
}

function smoke(startedAt: number, random: () => number): Draft {
  const load = sampleLoad(
    {
      workload: 'mixed',
      profile: { kind: 'burst', count: 40, concurrency: 5 },
      startedAt: startedAt + 50_000,
      seconds: 1,
      rateRps: () => 40,
      typicalMs: 6,
    },
    random,
  )
  return {
    scenario: 'smoke',
    summary: 'Simple, bidirectional, parallel and batch runs, every result checked by value.',
    startedAt,
    endedAt: startedAt + 1.1 * second,
    judgements: [
      checker('values', rightValues, 40, '40 of 40 results are right'),
      checker('no-run-hangs', noHang, 40, '40 of 40 runs ended'),
    ],
    figures: [
      { name: 'simple runs', value: 10 },
      { name: 'bidirectional runs', value: 5 },
      { name: 'parallel runs', value: 5, note: 'three bidirectional steps each' },
      { name: 'batch runs', value: 20, note: 'at most 5 at a time' },
    ],
    loads: [{ name: 'all kinds', load }],
    events: [windowAt('smoke', startedAt, 0, 'control')],
    pods: podNames('component-server', 3).map((pod) =>
      sampleActivity({ pod }, { startedAt, seconds: 2 }, (at) => (at === 0 ? 22 : 4), random),
    ),
  }
}

/** A matrix with every callback at its own pod, but for `strays`. */
export function sampleAffinity(
  pods: readonly string[],
  random: () => number,
  strays: readonly (readonly [row: number, column: number, count: number])[] = [],
): AffinityMatrix {
  const counts = pods.map((_, row) =>
    pods.map((_, column) => (row === column ? 380 + Math.round(random() * 14) : 0)),
  )
  for (const [row, column, count] of strays) counts[row]![column] = count
  return { rows: pods, columns: pods, counts, crossed: Math.round(pods.length * 194) }
}

function affinity(startedAt: number, random: () => number, broken: boolean): Draft {
  const pods = podNames('component-server', 3)
  const seconds = 6
  const examined = 1_164
  const strays = broken
    ? [
        `callback 9f31…c2 of run 0193-a7 reached ${pods[2]}, its stream was opened by ${pods[0]}`,
        `callback 77ab…09 of run 0193-b1 reached ${pods[2]}, its stream was opened by ${pods[0]}`,
        `callback 0c4d…e8 of run 0193-c4 reached ${pods[0]}, its stream was opened by ${pods[1]}`,
      ]
    : []
  return {
    scenario: 'affinity',
    summary: 'Every callback reaches the pod that opened its stream, through either balancer.',
    startedAt,
    endedAt: startedAt + seconds * second,
    judgements: [
      checker(
        'affinity',
        'Every callback reaches the pod that opened its stream',
        examined,
        broken
          ? '4 of 1,164 callbacks reached another pod'
          : '1,164 of 1,164 callbacks came back to their pod',
        broken ? { outcome: 'fail', examples: strays } : {},
      ),
      checker(
        'crossing',
        'Callbacks cross between the balancers',
        examined,
        '582 of 1,164 replies came through the other balancer',
      ),
      checker('values', rightValues, 582, '582 of 582 results are right'),
      threshold(
        'fairness',
        'Ready pods share the load evenly',
        ['at least', 0.98, 'ratio'],
        0.9997,
        "Jain's index of requests a pod",
        'over the time each pod was ready',
        3,
      ),
    ],
    figures: [
      { name: 'callbacks', value: examined },
      { name: 'crossed balancers', value: 50, unit: '%' },
    ],
    loads: [
      {
        name: 'bidirectional',
        load: sampleLoad(
          {
            workload: 'store-and-retrieve',
            startedAt: startedAt + 0.2 * second,
            seconds: 5,
            rateRps: () => 116,
            typicalMs: 9,
          },
          random,
        ),
      },
    ],
    events: [windowAt('affinity', startedAt, 0, 'warm-up'), windowAt('affinity', startedAt, 1, 'control')],
    pods: pods.map((pod) => sampleActivity({ pod }, { startedAt, seconds }, () => 38, random)),
    affinity: sampleAffinity(
      pods,
      random,
      broken
        ? [
            [0, 2, 3],
            [1, 0, 1],
          ]
        : [],
    ),
  }
}

function throughput(startedAt: number, random: () => number, lagging: boolean): Draft {
  const seconds = 11
  const pods = podNames('component-server', 3)
  const minimum = 97
  return {
    scenario: 'throughput',
    summary: '100 requests/s a component pod and 50 concurrent workflows, held second by second.',
    startedAt,
    endedAt: startedAt + seconds * second,
    judgements: [
      lagging
        ? checker(
            'generator',
            'The load generator keeps to its plan',
            1_800,
            'it sent up to 412 ms late (allowed 50 ms) and dropped 214 arrivals',
            { outcome: 'unknown' },
          )
        : checker(
            'generator',
            'The load generator keeps to its plan',
            1_800,
            'it sent at most 3.1 ms late and dropped none',
          ),
      checker('values', rightValues, 1_800, '1,800 of 1,800 results are right'),
      threshold(
        'pod-rate',
        'At an arrival rate of 100 requests/s a component pod, every ready pod serves them, second by second',
        ['at least', 95, 'req/s'],
        minimum,
        'minimum of requests counted by a pod itself in a one-second window',
        'after warm-up, each whole second in which the pod was ready',
        21,
      ),
      threshold(
        'concurrent-runs',
        'The runtime carries 50 concurrent workflows',
        ['at least', 50, 'runs'],
        54,
        "minimum of runs in flight by the runtime's own count",
        'throughout the concurrent load, after warm-up',
        1_043,
      ),
      threshold(
        'concurrent-run-time',
        'The concurrent workflows are real ones: each lasts at least 200 ms',
        ['at least', 200, 'ms'],
        207,
        'minimum duration of a run',
        'throughout the concurrent load, after warm-up',
        1_043,
        'INVALID',
      ),
    ],
    figures: [{ name: 'mean duration of a concurrent run', value: 231.4, unit: 'ms' }],
    loads: [
      {
        name: 'fixed rate',
        load: sampleLoad(
          {
            workload: 'double',
            startedAt: startedAt + 0.1 * second,
            seconds: 6,
            rateRps: () => 300,
            typicalMs: 3.4,
            ...(lagging
              ? { lagMs: 412, dropped: 214, utilization: 0.97, slowdown: (at: number) => (at > 3 ? 9 : 1) }
              : { lagMs: 3.1 }),
          },
          random,
        ),
      },
      {
        name: 'concurrent',
        load: sampleLoad(
          {
            workload: 'hold-and-store',
            profile: { kind: 'concurrent', users: 56, durationMs: 4_000 },
            startedAt: startedAt + 6.6 * second,
            seconds: 4,
            rateRps: () => 240,
            typicalMs: 231,
          },
          random,
        ),
      },
    ],
    series: [
      {
        name: "runs in flight, by the runtime's own count",
        unit: 'runs',
        startedAt,
        values: Array.from({ length: seconds }, (_, at) =>
          at < 7 ? 1 + Math.round(random() * 2) : 54 + Math.round(random() * 2),
        ),
        target: 50,
      },
    ],
    events: [
      windowAt('throughput', startedAt, 0, 'warm-up'),
      windowAt('throughput', startedAt, 1, 'fixed rate'),
      windowAt('throughput', startedAt, 6.6, 'concurrent'),
    ],
    pods: pods.map((pod) =>
      sampleActivity({ pod }, { startedAt, seconds }, (at) => (at < 6 ? 100 : 80), random),
    ),
  }
}

function overhead(startedAt: number, random: () => number, slow: boolean): Draft {
  const rounds = 4
  const loads = Array.from({ length: rounds * 2 }, (_, index) => ({
    name: index % 2 === 0 ? 'direct to a pod' : 'through the balancer',
    load: sampleLoad(
      {
        workload: 'double',
        startedAt: startedAt + (0.1 + index * 1.05) * second,
        seconds: 1,
        rateRps: () => 100,
        typicalMs: index % 2 === 0 ? 1.1 : slow ? 14 : 1.7,
      },
      random,
    ),
  }))
  return {
    scenario: 'overhead',
    summary: 'What balancer and network add to a request, and how long a callback takes.',
    startedAt,
    endedAt: startedAt + 8.6 * second,
    judgements: [
      threshold(
        'overhead-p50',
        'Balancer and network add at most 10 ms to a typical request',
        ['at most', 10, 'ms'],
        slow ? 12.9 : 0.61,
        'p50 through the balancer less p50 direct to a pod',
        'interleaved rounds at 100 requests/s a pod',
        800,
      ),
      threshold(
        'overhead-p95',
        'Balancer and network add at most 10 ms to a slow request',
        ['at most', 10, 'ms'],
        slow ? 17.2 : 0.83,
        'p95 through the balancer less p95 direct to a pod',
        'interleaved rounds at 100 requests/s a pod',
        800,
      ),
      threshold(
        'callback-p50',
        'A typical call back to the runtime takes at most 5 ms',
        ['at most', 5, 'ms'],
        1.42,
        "p50 of a callback's round trip, measured at the pod",
        'bidirectional runs at 100 requests/s a pod, after warm-up',
        1_204,
      ),
      threshold(
        'callback-p95',
        'A slow call back to the runtime takes at most 5 ms',
        ['at most', 5, 'ms'],
        2.71,
        "p95 of a callback's round trip, measured at the pod",
        'bidirectional runs at 100 requests/s a pod, after warm-up',
        1_204,
      ),
    ],
    figures: [
      { name: 'p50 direct', value: 1.1, unit: 'ms' },
      { name: 'p50 through the balancer', value: slow ? 14 : 1.71, unit: 'ms' },
    ],
    loads,
    events: [windowAt('overhead', startedAt, 0, 'interleaved')],
    pods: podNames('component-server', 3).map((pod) =>
      sampleActivity({ pod }, { startedAt, seconds: 9 }, () => 33, random),
    ),
  }
}

function killMidSse(startedAt: number, random: () => number, lost: boolean): Draft {
  const seconds = 10
  const [first = '', victim = '', third = ''] = podNames('component-server', 3)
  const [replacement = ''] = podNames('component-server', 1, 3)
  const kill = 4.2
  return {
    scenario: 'kill-mid-sse',
    summary:
      'A component pod dies in the middle of at least 20 streams; only its own runs may fail, fast and clearly.',
    startedAt,
    endedAt: startedAt + seconds * second,
    judgements: [
      threshold(
        'streams-at-kill',
        'The pod is killed in the middle of its work: at least 20 of its streams wait for a callback',
        ['at least', 20, 'streams'],
        23,
        'streams with a callback unanswered',
        'at the moment of the kill',
        1,
        'INVALID',
      ),
      checker(
        'blast-radius',
        'Only runs that had a step on the killed pod fail',
        724,
        '26 runs failed, all 26 had a step on the killed pod',
      ),
      lost
        ? checker(
            'no-run-hangs',
            noHang,
            724,
            '3 of 724 runs were still open 10 s after the pod was replaced',
            {
              outcome: 'fail',
              examples: [
                'run 0193-d0 step store: call sent at 4.11 s, never answered',
                'run 0193-d7 step store: call sent at 4.14 s, never answered',
                'run 0193-da step store: call sent at 4.19 s, never answered',
              ],
            },
          )
        : checker('no-run-hangs', noHang, 724, '724 of 724 runs ended'),
      checker(
        'recorded-once',
        'No step result is recorded twice',
        1_448,
        '1,448 step results, each recorded once',
      ),
      checker('values', rightValues, 698, '698 of 698 results are right'),
      threshold(
        'fail-fast',
        'A run that lost its pod fails with a clear error within 5 s',
        ['at most', 5, 's'],
        0.34,
        'maximum time from the kill to the end of a failed run',
        'after the kill',
        26,
      ),
    ],
    figures: [
      {
        name: 'time to recover',
        value: 1.87,
        unit: 's',
        note: 'from the kill to the first second without a failure and with p99 back to normal',
      },
      { name: 'pod replaced and serving after', value: 1.31, unit: 's' },
      {
        name: 'runs failed',
        value: 26,
        note: 'each with the error "component server went away: connection reset"',
      },
    ],
    loads: [
      {
        name: 'bidirectional',
        load: sampleLoad(
          {
            workload: 'store-and-retrieve',
            startedAt: startedAt + 0.2 * second,
            seconds: 9,
            rateRps: () => 66,
            typicalMs: 12,
            slowdown: (at) => (at === 4 ? 14 : at === 5 ? 4 : 1),
            failing: (at) => (at === 4 ? 22 : at === 5 ? 4 : 0),
            errors: [{ text: 'component server went away: connection reset (503)', count: 26 }],
          },
          random,
        ),
      },
    ],
    events: [
      windowAt('kill-mid-sse', startedAt, 0, 'warm-up'),
      windowAt('kill-mid-sse', startedAt, 1, 'control'),
      chaosAt(startedAt, kill, 'kill', 'requested', {
        role: 'component-server',
        pod: victim,
        detail: 'SIGKILL with 23 streams open',
      }),
      windowAt('kill-mid-sse', startedAt, kill, 'fault'),
      podAt(startedAt, kill + 0.008, victim, 'Failed', false),
      chaosAt(startedAt, kill + 0.01, 'kill', 'observed', {
        role: 'component-server',
        pod: victim,
        detail: 'process gone',
      }),
      podAt(startedAt, kill + 0.03, replacement, 'Pending', false),
      podAt(startedAt, kill + 1.31, replacement, 'Running', true),
      chaosAt(startedAt, kill + 1.4, 'kill', 'cleared', {
        role: 'component-server',
        pod: victim,
        detail: `${replacement} serves`,
      }),
      windowAt('kill-mid-sse', startedAt, kill + 1.9, 'recovery'),
    ],
    pods: [
      sampleActivity(
        { pod: first },
        { startedAt, seconds },
        (at) => (at === 4 || at === 5 ? 33 : 22),
        random,
      ),
      sampleActivity({ pod: victim, until: kill }, { startedAt, seconds }, () => 22, random),
      sampleActivity(
        { pod: third },
        { startedAt, seconds },
        (at) => (at === 4 || at === 5 ? 33 : 22),
        random,
      ),
      sampleActivity({ pod: replacement, from: kill + 1.31 }, { startedAt, seconds }, () => 22, random),
    ],
    affinity: sampleAffinity([first, victim, third, replacement], random),
  }
}

function scale(startedAt: number, random: () => number): Draft {
  const seconds = 15
  const pods = podNames('component-server', 6)
  const balancers = podNames('balancer', 4)
  const rate = (at: number): number => (at < 3 ? 300 : at < 9 ? 600 : 200)
  const readyPods = (at: number): number => (at < 3 ? 3 : at < 9 ? 6 : 2)
  const fault = (from: number, until: number, name: string, detail: string): readonly ChaosEvent[] => [
    chaosAt(startedAt, from, name, 'requested', { detail }),
    chaosAt(startedAt, from + 0.2, name, 'observed', { detail }),
    chaosAt(startedAt, until, name, 'cleared', { detail }),
  ]
  return {
    scenario: 'scale',
    summary: 'Component servers 3 to 6 to 2, then balancers 2 to 4 to 1, under load, with no failed run.',
    startedAt,
    endedAt: startedAt + seconds * second,
    judgements: [
      checker('no-run-fails', 'No run fails while pods come and go', 5_900, '5,900 of 5,900 runs completed'),
      checker('values', rightValues, 5_900, '5,900 of 5,900 results are right'),
      threshold(
        'scale-rate',
        'Six component pods serve 600 requests/s',
        ['at least', 570, 'req/s'],
        598.7,
        'mean of requests completed a second',
        'while six pods were ready',
        5,
      ),
    ],
    figures: [],
    loads: [
      {
        name: 'stepped rate',
        load: sampleLoad(
          {
            workload: 'double',
            startedAt: startedAt + 0.1 * second,
            seconds: 14,
            rateRps: rate,
            typicalMs: 4,
            slowdown: (at) => (at === 9 ? 2.5 : 1),
          },
          random,
        ),
      },
    ],
    events: [
      windowAt('scale', startedAt, 0, 'three'),
      ...fault(2.1, 3.2, 'scale component-server', '3 to 6'),
      windowAt('scale', startedAt, 3.2, 'six'),
      ...fault(8.6, 9.5, 'scale component-server', '6 to 2'),
      windowAt('scale', startedAt, 9.5, 'two'),
      ...fault(10.5, 11.3, 'scale balancer', '2 to 4'),
      ...fault(12.4, 13.3, 'scale balancer', '4 to 1'),
      windowAt('scale', startedAt, 13.5, 'recovery'),
      ...pods.slice(0, 3).map((pod) => podAt(startedAt, 0, pod, 'Running', true)),
      ...pods
        .slice(3)
        .flatMap((pod, index) => [
          podAt(startedAt, 2.2, pod, 'Pending', false),
          podAt(startedAt, 2.9 + index / 10, pod, 'Running', true),
        ]),
      ...pods
        .slice(2)
        .flatMap((pod) => [
          podAt(startedAt, 8.7, pod, 'Terminating', false),
          podAt(startedAt, 9.4, pod, 'Gone', false),
        ]),
      ...balancers.slice(0, 2).map((pod) => podAt(startedAt, 0, pod, 'Running', true, 'balancer')),
      ...balancers.slice(2).map((pod) => podAt(startedAt, 11.2, pod, 'Running', true, 'balancer')),
      ...balancers.slice(1).map((pod) => podAt(startedAt, 12.6, pod, 'Terminating', false, 'balancer')),
    ],
    pods: [
      ...pods.map((pod, index) =>
        sampleActivity(
          { pod, from: index < 3 ? 0 : 3, until: index < 2 ? null : 8.7 },
          { startedAt, seconds },
          (at) => rate(at) / readyPods(at),
          random,
        ),
      ),
      ...balancers.map((pod, index) =>
        sampleActivity(
          { pod, role: 'balancer', from: index < 2 ? 0 : 11.2, until: index === 0 ? null : 12.6 },
          { startedAt, seconds },
          (at) => rate(at) / (at < 11 ? 2 : at < 13 ? 4 : 1),
          random,
        ),
      ),
    ],
  }
}

const environment: EnvironmentInfo = {
  cluster: 'local',
  clusterDescription: {
    addressing: 'an address of its own for each pod (127.63.0.0/16)',
    dns: '127.63.0.2:5353',
    pods: '1 runtime, 2 balancers, 3 component servers',
  },
  platform: 'linux 6.1.0-28-amd64 x64',
  cpuModel: 'AMD EPYC 7B13',
  cpus: 2,
  memoryBytes: 8_323_633_152,
  node: 'v24.21.0',
  commit: '4f2c9ab',
  engine: 'embedded',
  tools: { k6: 'v1.4.0' },
}

const balancerRate: NamedTarget = {
  name: 'balancer-rate',
  claim: 'One balancer relays 10,000 requests/s',
  scenario: 'bench:balancer',
  statistic: 'median of the rounds',
  window: 'each round after warm-up',
  unit: 'req/s',
  comparison: 'at least',
  target: 10_000,
}

/** Results around `scenarios`, with the verdicts that follow from them. */
export function sampleSuite(
  scenarios: readonly ScenarioResult[],
  more: Partial<Omit<Results, 'scenarios' | 'verdict'>> = {},
): Results {
  const judgements = more.judgements ?? []
  const ended = Math.max(bootedAt, ...scenarios.map((scenario) => scenario.endedAt))
  return {
    schemaVersion: 1,
    suite: 'load',
    startedAt: '2026-01-31T14:25:01.204Z',
    durationMs: Math.round((ended - bootedAt) / 1_000) + 2_300,
    clockOriginMs: Date.parse('2026-01-31T14:25:01.204Z') - bootedAt / 1_000,
    seed: 421_337,
    command: 'npm run load -- --seed 421337',
    environment,
    notMeasured: [notMeasured(balancerRate)],
    ...more,
    scenarios,
    verdict: suiteVerdict(scenarios, judgements),
  }
}

/** What a sample shows. */
export type SampleKind = 'pass' | 'fail' | 'invalid' | 'interrupted' | 'broken'

/** A whole suite: all well, an invariant and a threshold broken, a lagging generator, Ctrl-C, or a throw. */
export function sampleResults(kind: SampleKind, seed = 421_337): Results {
  const key = `${kind} ${seed}`
  const made = samples.get(key) ?? makeSample(kind, seed)
  samples.set(key, made)
  return made
}

/** Results cannot be changed, so one of each is enough; making one takes a while. */
const samples = new Map<string, Results>()

function makeSample(kind: SampleKind, seed: number): Results {
  const random = randomOf(seed)
  const starts = [1, 2.3, 8.5, 19.7, 28.5, 38.7].map((at) => bootedAt + at * second)
  const all = [
    smoke(starts[0]!, random),
    affinity(starts[1]!, random, kind === 'fail'),
    throughput(starts[2]!, random, kind === 'invalid'),
    overhead(starts[3]!, random, kind === 'fail'),
    killMidSse(starts[4]!, random, kind === 'fail'),
    scale(starts[5]!, random),
  ]
  if (kind === 'interrupted' || kind === 'broken') {
    const message =
      kind === 'interrupted'
        ? 'interrupted by SIGINT 3.1 s after its start'
        : "TypeError: Cannot read properties of undefined (reading 'pod')\n    at run (scenarios/throughput.mjs:41:18)"
    const cut = { ...all[2]!, judgements: [], affinity: undefined, endedAt: starts[2]! + 3.1 * second }
    const { affinity: _, ...open } = cut
    const partial = {
      ...open,
      loads: [
        {
          name: 'fixed rate',
          load: sampleLoad(
            { workload: 'double', startedAt: starts[2]!, seconds: 3, rateRps: () => 300, typicalMs: 3.4 },
            random,
          ),
        },
      ],
      series: [],
      events: open.events.filter((event) => event.at < cut.endedAt),
      pods: open.pods.map((pod) => ({ ...pod, callsPerSecond: pod.callsPerSecond.slice(0, 3) })),
      ended: { kind: kind === 'broken' ? ('error' as const) : ('interrupted' as const), message },
    }
    return sampleSuite([...all.slice(0, 2), partial].map((draft) => finish(draft, seed)))
  }
  const suite = sampleSuite(all.map((draft) => finish(draft, seed)))
  const duration = threshold(
    'suite-duration',
    '`npm run load` takes at most a minute',
    ['at most', 60, 's'],
    suite.durationMs / 1_000,
    'wall-clock time of the suite',
    'from the command to the report',
    1,
  )
  return sampleSuite(suite.scenarios, { judgements: [duration] })
}
