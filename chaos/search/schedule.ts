// Draws an experiment from a seed: load, one to three faults, their victims, times and settings. Same seed, same one.

import type { Role } from '../../contracts/history.ts'
import type { Experiment, ExperimentLoad, PlacedFault } from '../experiments/model.ts'
import { seededRandom } from '../random.ts'

type Random = () => number

/** A fault as the search draws it: whom it may hit, and with what. */
interface Drawable {
  readonly fault: string
  readonly roles: readonly Role[]
  readonly pods?: 'all'
  settings?(random: Random): Readonly<Record<string, unknown>>
}

const whole = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1))

/**
 * What a correct system gets over: nothing is lost, nothing is wrong, and what fails does so clearly. Faults under
 * which waiting is right (a silent network, a runtime that is gone) are for experiments of their own.
 */
const drawables: readonly Drawable[] = [
  { fault: 'pod-killed', roles: ['component-server', 'balancer'] },
  { fault: 'pod-stopped', roles: ['component-server', 'balancer'] },
  { fault: 'process-killed', roles: ['component-server', 'balancer'] },
  { fault: 'crash-loop', roles: ['component-server'] },
  {
    fault: 'slow-start',
    roles: ['component-server'],
    settings: (r) => ({ delayMs: whole(r, 5, 20) * 100 }),
  },
  { fault: 'pod-frozen', roles: ['component-server', 'balancer'] },
  { fault: 'not-ready', roles: ['component-server', 'balancer'] },
  {
    fault: 'cpu-starved',
    roles: ['component-server'],
    settings: (r) => ({ share: whole(r, 1, 4) / 10, by: 'signals' }),
  },
  { fault: 'out-of-memory', roles: ['component-server'] },
  { fault: 'descriptors-exhausted', roles: ['component-server'] },
  {
    fault: 'latency',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ direction: 'both', delayMs: whole(r, 5, 80), jitterMs: whole(r, 0, 40) }),
  },
  {
    fault: 'loss',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ direction: 'both', share: whole(r, 1, 10) / 100, stallMs: 100 }),
  },
  {
    fault: 'bandwidth',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ direction: 'both', bytesPerSecond: whole(r, 20, 200) * 1000 }),
  },
  {
    fault: 'slow-reader',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ bytesPerSecond: whole(r, 5, 40) * 1000 }),
  },
  {
    fault: 'corruption',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ share: whole(r, 5, 50) / 100 }),
  },
  {
    fault: 'stream-reset',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ share: whole(r, 5, 50) / 100 }),
  },
  {
    fault: 'truncation',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ share: whole(r, 5, 50) / 100 }),
  },
  {
    fault: 'split-events',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ bytes: whole(r, 1, 30), gapMs: whole(r, 0, 3) }),
  },
  { fault: 'dns-failing', roles: ['component-server'], pods: 'all' },
  { fault: 'dns-empty', roles: ['component-server'], pods: 'all' },
  { fault: 'dns-stale', roles: ['component-server'], pods: 'all' },
  {
    fault: 'dns-slow',
    roles: ['component-server'],
    pods: 'all',
    settings: (r) => ({ delayMs: whole(r, 100, 900) }),
  },
  {
    fault: 'clock-skewed',
    roles: ['component-server', 'balancer'],
    settings: (r) => ({ offsetSeconds: whole(r, -5, 5) * 1_000 }),
  },
  { fault: 'rolling-restart', roles: ['component-server', 'balancer'], pods: 'all' },
  { fault: 'scale-storm', roles: ['component-server', 'balancer'], pods: 'all' },
  { fault: 'node-drained', roles: ['component-server'] },
]

/** Half of the schedules have one of these besides: callbacks without a pause, steps side by side, several items. */
const moreWorkloads = ['bidirectional', 'parallel', 'batch'] as const

/** How long the load of a trial runs, ms. */
const durationMs = 6_000

/** @param trial from 0: each draws from numbers of its own, so that trial 7 is the same whether 1 or 100 are run */
export function drawExperiment(seed: number, trial: number): Experiment {
  const random = seededRandom((Math.imul(seed, 0x9e3779b1) + Math.imul(trial + 1, 0x85ebca6b)) >>> 0)
  const loads: ExperimentLoad[] = [
    { name: 'streams', workload: 'hold', users: whole(random, 8, 40), holdMs: whole(random, 5, 40) * 10 },
    { name: 'simple', workload: 'double', rateRps: whole(random, 10, 60) },
    ...(random() < 0.5
      ? []
      : [
          {
            name: 'more',
            workload: moreWorkloads[whole(random, 0, moreWorkloads.length - 1)]!,
            rateRps: whole(random, 2, 15),
          },
        ]),
  ]
  const faults = Array.from({ length: whole(random, 1, 3) }, (_, i): PlacedFault => {
    const drawn = drawables[whole(random, 0, drawables.length - 1)]!
    const role = drawn.roles[whole(random, 0, drawn.roles.length - 1)]!
    return {
      name: `${drawn.fault}-${i + 1}`,
      fault: drawn.fault,
      role,
      pods: drawn.pods ?? 1,
      trigger: { kind: 'at', atMs: whole(random, 10, 35) * 100 },
      forMs: whole(random, 3, 20) * 100,
      settings: drawn.settings?.(random) ?? {},
    }
  })
  return {
    name: `chaos-${seed}-${trial}`,
    description: `Schedule ${trial} of seed ${seed}: every invariant holds`,
    durationMs,
    replicas: {},
    loads,
    steady: [],
    faults,
    stop: [],
    blastRadius: { pods: 3, roles: ['runtime', 'balancer', 'component-server'] },
    during: [],
    recoverWithinMs: 2_000,
    after: [],
    checkers: [],
  }
}
