// The trial with the measurements that scenarios share: each takes figures from records and judges them.

import { setTimeout as delay } from 'node:timers/promises'
import { type Checker, type CheckerName, check, type Kill, runChecker } from '../../chaos/checkers/index.ts'
import type { AutoscaleOptions, Pod, Role, WaitOptions } from '../../contracts/cluster.ts'
import { GauntletError } from '../../contracts/errors.ts'
import type { History } from '../../contracts/history.ts'
import type { LoadResult, Workload } from '../../contracts/load.ts'
import { monotonicUs } from '../clock.ts'
import { type FaultAim, type InjectedFault, injectFault } from '../experiment/inject.ts'
import { between, callbackRoundTrips } from '../history/index.ts'
import { latencyDoubts, mergeHistograms, podRate } from '../load/index.ts'
import { judgeFlows, judgePlacements, placementText } from './asked.ts'
import { checkItems } from './items.ts'
import { loadTrue } from './load-true.ts'
import {
  completedIn,
  failureDelays,
  inFlightSeries,
  leastInFlight,
  percentile,
  readyPerSecond,
  runTimes,
  type Stretch,
  streamsWaiting,
  timeToRecover,
} from './measures.ts'
import { checkPoolCalls } from './pool-calls.ts'
import { Trial } from './trial.ts'

/** A constant rate of direct component calls, for a time. */
interface CallLoad {
  readonly workload: Workload
  readonly rateRps: number
  readonly durationMs: number
}

/** Wire name of the component that `call` loads send. */
const calledComponent = '/double'

/** Runs without which a p95 says nothing (harness/load/doubts.ts). */
const leastTimedRuns = 90

/** When a run of a user's own flow counts as hanging, µs. */
const ownDeadlineUs = 110_000_000

/** A generator later than this was not running; its timeouts then say nothing about the system, ms. */
const starvedLagMs = 1_000

/** What must hold in every trial. */
const invariants: readonly CheckerName[] = [
  'correct-values',
  'no-run-lost',
  'none-hangs',
  'once',
  'affinity',
  'no-cross-talk',
  'streams-end',
  'client-runtime-agree',
  'in-flight-returns',
  'effects',
  'nothing-leaked',
  'health-true',
  'history-complete',
]

export class JudgedTrial extends Trial {
  readonly #kills: Kill[] = []
  readonly #clears = new Map<Kill, () => void>()
  #healedAt = 0
  #history: History | null = null
  #collectedAt = 0
  /** Checkers that may have nothing to look at, with the reason. */
  readonly #mayBeIdle = new Map<CheckerName, string>()

  /** An experiment's load gives these checkers nothing: then they do not run, and the report says why. */
  expectNothingFor(names: readonly CheckerName[], reason: string): void {
    for (const name of names) this.#mayBeIdle.set(name, reason)
  }

  /**
   * Runs the checkers of what must hold in every trial, whatever was done to the system, those that the scenario's
   * definition names, and further ones.
   */
  async checkInvariants(...further: readonly CheckerName[]): Promise<void> {
    const kills: readonly CheckerName[] = this.#kills.length > 0 ? ['kills-land'] : []
    await this.check(...new Set([...invariants, ...kills, ...this.ownCheckers, ...further]))
    this.judge(loadTrue(await this.records(), this.ownedLoads))
  }

  /**
   * Runs checkers (chaos/checkers) over the whole trial and adds what they found. A user's own flow may have
   * nothing for a checker to look at, e.g. no callback: then the report says that it did not run.
   */
  async check(...names: readonly CheckerName[]): Promise<void> {
    const history = await this.records()
    const results = [
      ...check(names, history, {
        kills: this.#kills,
        healedAt: this.#healedAt,
        collectedAt: this.#collectedAt,
        interrupted: this.abandoned,
        clientStarved: this.#clientStarved(),
        othersShare: (from, until) => this.othersShare({ from, until }),
        ...(this.hasOwnWorkload ? { deadlineUs: ownDeadlineUs, ownFlow: true } : {}),
      }),
    ]
    const whyIdle = (name: string): string | undefined =>
      this.hasOwnWorkload ? 'your flow gave it nothing to look at' : this.#mayBeIdle.get(name as CheckerName)
    const idle = results.filter(({ name, examined }) => examined === 0 && whyIdle(name) !== undefined)
    for (const { name } of idle) this.figure(`${name}: not checked`, whyIdle(name) ?? '')
    this.judge(...results.filter((result) => !idle.includes(result)))
  }

  /** Runs checkers that are not of this project's registry, e.g. a user's own. */
  async checkBy(checkers: readonly Checker[]): Promise<void> {
    const history = await this.records()
    const context = { kills: this.#kills, healedAt: this.#healedAt, collectedAt: this.#collectedAt }
    this.judge(...checkers.map((checker) => runChecker(checker, history, context)))
  }

  /** Tells the checkers what a fault has ended, and that it is gone now. */
  noteHealed(kills: readonly Kill[]): void {
    for (const kill of kills) if (!this.#kills.includes(kill)) this.#kills.push(kill)
    this.#healedAt = monotonicUs()
  }

  /**
   * Injects a fault (docs/reference/faults.md) and waits until it was seen. Where it is on a link, the scenario's
   * definition names that link in `links`.
   */
  inject(name: string, aim: FaultAim = {}): Promise<InjectedFault> {
    return injectFault(this, name, aim)
  }

  /** The history, collected once: call it when the loads are over and `settle` has returned. */
  async records(): Promise<History> {
    if (this.#history === null) {
      await this.recordUsage('after')
      // Pods are read one after another: what is later than this moment may be missing of some.
      this.#collectedAt = monotonicUs()
      this.#history = await this.history(this.#collectedAt)
    }
    return this.#history
  }

  /** Whether a generator stood still for so long that answers it gave up may have been there. */
  #clientStarved(): boolean {
    return this.loads.some(({ load }) => load.lag.maxMs > starvedLagMs)
  }

  /** One of several, by the trial's seed. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.random() * choices.length)]
    if (choice === undefined) throw new Error('nothing to pick from')
    return choice
  }

  /** Has the cluster try who can talk to whom, and judges `flows-allowed` and `flows-refused`. */
  async flows(): Promise<void> {
    const tried = await this.#ask(
      'flows-allowed',
      'Whoever the flow matrix allows to talk gets through',
      () => this.cluster.tryFlows?.({ signal: this.signal }),
    )
    if (tried === null) return
    this.judge(...judgeFlows(tried))
    this.figure('network policies', tried.enforced ? 'enforced' : 'not enforced by this cluster')
    for (const { from, to, reached } of tried.flows)
      this.figure(`${from} to ${to}`, reached ? 'gets through' : 'refused')
  }

  /**
   * Asks the scheduler where it puts pods, and judges `placement-pretended`; where a GPU pool is deployed also
   * `placement`, and `pool-calls` once a pod of it runs.
   */
  async placements(): Promise<void> {
    const placements = await this.#ask('placement', 'Each pod lands where it must', () =>
      this.cluster.tryPlacements?.({ signal: this.signal }),
    )
    if (placements === null) return
    this.judge(...judgePlacements(placements))
    for (const one of placements) {
      this.figure(one.what, placementText(one), undefined, one.pretended ? 'pretended nodes' : 'real nodes')
    }
    const pool = placements.filter(({ pretended, node }) => !pretended && node !== null)
    if (pool.length === 0) this.figure('calls to the GPU pool', 'not tried: no pod of it runs here')
    else await this.#poolCalls(pool.map(({ what }) => what))
  }

  /** What cannot be asked is unknown, with the reason. */
  async #ask<T>(name: string, claim: string, ask: () => Promise<T> | undefined): Promise<T | null> {
    try {
      return (await ask()) ?? null
    } catch (error) {
      if (!(error instanceof GauntletError)) throw error
      if (!this.signal.aborted) {
        const reason = error.message
        this.judge({ kind: 'checker', name, claim, outcome: 'unknown', reason, examined: 0 })
      }
      return null
    }
  }

  async #poolCalls(pods: readonly string[]): Promise<void> {
    const url = await this.cluster.serviceUrl('runtime')
    this.judge(await checkPoolCalls({ url, pods, signal: this.signal }))
  }

  /** Runs one run of many items that end in another order than they began, and judges `items-in-order`. */
  async checkItems(): Promise<void> {
    const count = 8
    const { flow, inputs, expected = [] } = this.workload('hold', { inputs: count, builtIn: true })
    this.judge(
      await checkItems({
        url: await this.cluster.serviceUrl('runtime'),
        flow,
        inputs: inputs.map((input, index) => ({ ...(input as object), hold_ms: (count - index) * 25 })),
        expected,
        signal: this.signal,
      }),
    )
  }

  /** Waits for `work` and records meanwhile what pods hold: 120 times over the trial's time, at most twice a second. */
  async whileSampling(work: Promise<unknown>): Promise<void> {
    const ended = new AbortController()
    const done = work.finally(() => ended.abort())
    const intervalMs = Math.max(500, this.durationMs / 120)
    const either = AbortSignal.any([ended.signal, this.signal])
    while (!either.aborted) {
      await this.recordUsage('during')
      await delay(intervalMs, undefined, { signal: either }).catch(() => {})
    }
    await done
  }

  // ---- the cluster ----------------------------------------------------------------------------------------

  /**
   * Longer than a pod may take that drains its streams, so that such a pod is told from one that hangs: 30 s here, and
   * up to 100 s in Kubernetes (k8s/base), which has to schedule and probe besides.
   */
  get #waiting(): WaitOptions {
    return { timeoutMs: this.cluster.kind === 'local' ? 40_000 : 180_000, signal: this.signal }
  }

  /** Scales roles and waits until exactly that many pods are ready and none terminates. */
  async scale(replicas: Partial<Record<Role, number>>): Promise<void> {
    const roles = Object.entries(replicas) as [Role, number][]
    await Promise.all(
      roles.map(async ([role, count]) => {
        const before = (await this.cluster.pods(role)).filter((pod) => pod.phase !== 'Terminating').length
        const clear = await this.chaos(
          `scale ${role} to ${count}`,
          { role, detail: `${before} to ${count}` },
          () => this.cluster.scale(role, count),
        )
        await this.cluster.waitReady(role, { replicas: count, ...this.#waiting })
        clear()
      }),
    )
  }

  /**
   * Lets an autoscaler set a role's replicas. `reached` resolves once exactly so many pods are ready, with the seconds
   * since `from` (µs), or null when they were not within the time; `end` takes the autoscaler away.
   * @throws GauntletError ERR_CLUSTER where the cluster has no autoscaler
   */
  async autoscale(
    role: Role,
    options: AutoscaleOptions,
  ): Promise<{
    reached(count: number, from: number, timeoutMs: number): Promise<number | null>
    end(): Promise<void>
  }> {
    const { min, max, cpuPercent } = options
    if (this.cluster.autoscale === undefined) {
      throw new GauntletError('ERR_CLUSTER', `a ${this.cluster.kind} cluster has no autoscaler`, {
        fix: 'use --cluster kubernetes',
      })
    }
    const scaler: { made?: AsyncDisposable | undefined } = {}
    const clear = await this.chaos(
      `autoscale ${role}`,
      { role, detail: `${min} to ${max} at ${cpuPercent} % of the CPU asked for` },
      async () => {
        scaler.made = await this.cluster.autoscale?.(role, options)
      },
    )
    return {
      reached: async (count, from, timeoutMs) => {
        try {
          await this.cluster.waitReady(role, { replicas: count, timeoutMs, signal: this.signal })
        } catch (error) {
          if (error instanceof GauntletError && error.code === 'ERR_TIMEOUT') return null
          throw error
        }
        const seconds = (monotonicUs() - from) / 1e6
        this.say(`${count} pods after ${seconds.toFixed(0)} s`)
        return seconds
      },
      end: async () => {
        await scaler.made?.[Symbol.asyncDispose]()
        clear()
      },
    }
  }

  /** Adds the number of ready pods of a role over the trial's time to the report's charts. */
  async readySeries(role: Role): Promise<void> {
    this.series({
      name: `ready pods of ${role}`,
      unit: 'pods',
      startedAt: this.startedAt,
      values: readyPerSecond(await this.records(), role, { from: this.startedAt, until: monotonicUs() }),
    })
  }

  /**
   * Judges a percentile of a load's latency. It is counted from the planned start, so that a late generator can only
   * make it longer: a target that is reached in spite of that is reached.
   */
  latency(name: string, statistic: 'p50Ms' | 'p95Ms' | 'p99Ms', load: LoadResult): void {
    const measured = load.latency[statistic]
    const during = { from: load.startedAt, until: load.endedAt }
    const reached = measured !== null && measured <= this.target(name)
    const enough = load.dropped === 0 && load.latency.count >= leastTimedRuns
    const doubts = reached && enough ? [] : latencyDoubts([load])
    this.threshold(
      name,
      measured === null || doubts.length > 0
        ? { unknown: doubts.join('; ') || 'no run was timed' }
        : measured,
      load.latency.count,
      during,
    )
  }

  /** Kills a pod by SIGKILL; resolves when its process is gone. */
  async kill(pod: Pod): Promise<Kill> {
    const at = monotonicUs()
    const clear = await this.chaos(
      `kill ${pod.role}`,
      { role: pod.role, pod: pod.name, detail: 'SIGKILL' },
      () => this.cluster.deletePod(pod.name, { gracePeriodSeconds: 0 }),
    )
    const kill: Kill = { pod: pod.name, role: pod.role, at, goneAt: monotonicUs() }
    this.#kills.push(kill)
    this.#healedAt = monotonicUs()
    this.#clears.set(kill, clear)
    return kill
  }

  /** Waits until the killed pod's role has all its pods ready again: then the kill is undone. */
  async replaced(kill: Kill): Promise<void> {
    await this.cluster.waitReady(kill.role, this.#waiting)
    this.#clears.get(kill)?.()
    this.#healedAt = monotonicUs()
  }

  // ---- direct calls and the balancer's cost ---------------------------------------------------------------

  /** Component calls through the balancers' Service. */
  async calls(name: string, load: CallLoad): Promise<LoadResult> {
    const url = await this.cluster.serviceUrl('balancer')
    return this.load(name, {
      workload: asCalls(load.workload),
      profile: { kind: 'constant', rateRps: load.rateRps, durationMs: load.durationMs },
      target: { kind: 'call', url, component: calledComponent },
    })
  }

  /** Component calls straight to each pod at once, `rateRps` to each. */
  callsToPods(
    name: string,
    load: CallLoad & { readonly pods: readonly Pod[] },
  ): Promise<readonly LoadResult[]> {
    return Promise.all(
      load.pods.map((pod) =>
        this.load(`${name} ${pod.name}`, {
          workload: asCalls(load.workload),
          profile: { kind: 'constant', rateRps: load.rateRps, durationMs: load.durationMs },
          target: { kind: 'call', url: this.cluster.podUrl(pod), component: calledComponent },
        }),
      ),
    )
  }

  /** Judges overhead-p50 and overhead-p95: percentiles through the balancer less those direct to the pods. */
  overhead(arms: { readonly direct: readonly LoadResult[]; readonly balanced: readonly LoadResult[] }): void {
    const direct = mergeHistograms(arms.direct)
    const balanced = mergeHistograms(arms.balanced)
    const samples = Math.min(direct.count, balanced.count)
    const all = [...arms.direct, ...arms.balanced]
    const during = {
      from: Math.min(...all.map(({ startedAt }) => startedAt)),
      until: Math.max(...all.map(({ endedAt }) => endedAt)),
    }
    const broken = all.reduce((sum, load) => sum + load.offered - load.completed, 0)
    // A difference does not hold in spite of a generator's lag, which may be in either arm.
    const doubts = [...latencyDoubts(arms.direct), ...latencyDoubts(arms.balanced)]
    for (const statistic of ['p50', 'p95'] as const) {
      const [without, through] = [direct[`${statistic}Ms`], balanced[`${statistic}Ms`]]
      this.figure(`direct ${statistic}`, without, 'ms', 'straight to the pods')
      this.figure(`balanced ${statistic}`, through, 'ms', 'through the balancers')
      const measured =
        without === null || through === null
          ? { unknown: 'there is no sample' }
          : broken > 0
            ? { unknown: `${broken} calls did not complete` }
            : doubts.length > 0
              ? { unknown: doubts.join('; ') }
              : // Of two arms that differ by less than their noise, it can be negative.
                through - without
      this.threshold(`overhead-${statistic}`, measured, samples, during)
    }
  }

  /** Judges callback-p50 and callback-p95, by the pods' own records. */
  async callbackTimes(stretch: Stretch): Promise<void> {
    const times = callbackRoundTrips(await this.records(), stretch).map((us) => us / 1000)
    for (const [name, share] of [
      ['callback-p50', 0.5],
      ['callback-p95', 0.95],
    ] as const) {
      const measured = percentile(times, share) ?? { unknown: 'no callback was recorded' }
      this.threshold(name, measured, times.length, stretch)
    }
  }

  // ---- throughput -----------------------------------------------------------------------------------------

  /** Judges that each ready pod itself counts enough calls in every second after the warm-up. */
  async podRate(
    name: string,
    { load, warmUpMs, pods }: { readonly load: LoadResult; readonly warmUpMs: number; readonly pods: number },
  ): Promise<void> {
    const judged = podRate({
      history: await this.records(),
      load,
      pods,
      warmUpMs,
      noise: this.noise.seconds(load.startedAt),
      target: this.target(name),
    })
    this.threshold(name, judged.measured, judged.samples)
    for (const note of judged.notes) this.figure('windows not judged', note)
  }

  /** Judges the least number of runs in flight over a stretch, by the runtime's own count. */
  async runsInFlight(name: string, stretch: Stretch): Promise<void> {
    const history = await this.records()
    const found = leastInFlight(history, stretch)
    const least = found?.least ?? { unknown: 'the runtime recorded no run' }
    this.threshold(name, least, found?.samples ?? 0, stretch)
    this.series({
      name: "runs in flight, by the runtime's own count",
      unit: 'runs',
      startedAt: this.startedAt,
      values: inFlightSeries(history, { from: this.startedAt, until: monotonicUs() }),
      target: this.target(name),
    })
  }

  /** Judges the shortest of a stretch's runs, each of which must have had a callback. */
  async runTime(name: string, stretch: Stretch): Promise<void> {
    const { ms, withoutCallback } = runTimes(await this.records(), stretch)
    const least = ms.reduce((shortest, time) => Math.min(shortest, time), Number.POSITIVE_INFINITY)
    const measured =
      ms.length === 0
        ? { unknown: 'no run ended' }
        : withoutCallback > 0
          ? { unknown: `${withoutCallback} of ${ms.length} runs had no callback` }
          : least
    this.threshold(name, measured, ms.length)
  }

  /** Judges runs completed a second, over the time of one of the loads. */
  async servedRate(name: string, workload: string, during: LoadResult): Promise<void> {
    const { profile, startedAt } = during
    const us = profile.kind === 'constant' ? profile.durationMs * 1000 : during.endedAt - startedAt
    const count = completedIn(await this.records(), workload, { from: startedAt, until: startedAt + us })
    this.threshold(name, count / (us / 1e6), count, { from: startedAt, until: startedAt + us })
  }

  /** Judges Jain's index over the time each pod was ready, within a stretch. */
  async fairness(stretch: Stretch, window: string): Promise<void> {
    const history = between(await this.records(), stretch.from, stretch.until)
    this.judge(
      ...check(['fairness'], history, { kills: this.#kills, collectedAt: stretch.until }).map((result) => ({
        ...result,
        name: `fairness (${window})`,
      })),
    )
  }

  // ---- after a kill ---------------------------------------------------------------------------------------

  /** Judges how many of the killed pod's streams waited for a callback's reply at that moment. */
  async streamsAtKill(name: string, kill: Kill): Promise<void> {
    const count = streamsWaiting(await this.records(), kill.pod, kill.at)
    this.threshold(name, count)
  }

  /** Judges how soon the runs that lost their pod had failed. */
  async failFast(name: string, kill: Kill): Promise<void> {
    const delays = failureDelays(await this.records(), kill.pod, kill.at)
    const slowest = delays.reduce((worst, delay) => Math.max(worst, delay), 0)
    this.figure('runs failed by the kill', delays.length, 'runs')
    this.threshold(name, delays.length === 0 ? { unknown: 'no run failed' } : slowest, delays.length)
  }

  /** Reports how long the replacement took to be ready and to serve, and goodput to come back. */
  async recovery(kill: Kill, control: Stretch & { readonly workload: string }): Promise<void> {
    const history = await this.records()
    const replacement = (await this.cluster.pods(kill.role)).find((pod) => pod.createdAt >= kill.at)
    const ready = replacement?.readyAt
    const served = history.find(
      (record) => record.kind === 'execute.received' && record.pod === replacement?.name,
    )
    const since = (at: number | undefined): number | null => (at === undefined ? null : (at - kill.at) / 1e6)
    this.figure('replacement ready', since(ready), 's', 'after the kill')
    this.figure('replacement serves', since(served?.at), 's', 'after the kill')
    this.figure(
      'goodput recovered',
      timeToRecover(history, control.workload, control, kill.at),
      's',
      `after the kill: ${control.workload} back to 95 % of the control`,
    )
  }
}

/** A workload of runs as direct calls: the inputs are the component's, the results its outputs. */
function asCalls(workload: Workload): Workload {
  return {
    ...workload,
    ...(workload.expected === undefined ? {} : { expected: workload.expected.map((result) => ({ result })) }),
  }
}
