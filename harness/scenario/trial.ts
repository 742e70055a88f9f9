// One execution of a scenario: what its function is handed to offer load, break things, and judge.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckerName } from '../../chaos/checkers/index.ts'
import type { Cluster, Pod, Role } from '../../contracts/cluster.ts'
import type {
  ChaosEvent,
  History,
  PodHealth,
  PodState,
  PodUsage,
  WindowStarted,
} from '../../contracts/history.ts'
import type {
  LoadEngine,
  LoadOptions,
  LoadProgress,
  LoadResult,
  LoadTarget,
  Profile,
  Workload,
} from '../../contracts/load.ts'
import type {
  AffinityMatrix,
  CheckerResult,
  Figure,
  Judgement,
  NamedLoad,
  NamedSeries,
  PodActivity,
  ScenarioResult,
  ThresholdResult,
} from '../../contracts/results.ts'
import type { Targets } from '../../contracts/targets.ts'
import { judgeThreshold, targetNamed, verdictOf } from '../../reports/index.ts'
import { monotonicUs } from '../clock.ts'
import { type NoiseMeter, othersShare, stretchSeconds } from '../noise.ts'
import type { LoadedScenario } from './definition.ts'
import type { Gatherer } from './gather.ts'
import type { OwnedLoad } from './load-true.ts'
import { excuseFor } from './missed-target.ts'
import type { Progress } from './progress.ts'
import { readGauge, scrape } from './prometheus.ts'
import { seededRandom } from './random.ts'
import { askHealth, backendsOf, usageOf } from './usage.ts'
import { builtInWorkload, type WorkloadName, type WorkloadOptions } from './workloads.ts'

export interface TrialOptions {
  readonly scenario: LoadedScenario
  readonly cluster: Cluster
  readonly engine: LoadEngine
  readonly targets: Targets
  readonly noise: NoiseMeter
  readonly gatherer: Gatherer
  readonly progress: Progress
  readonly durationMs: number
  readonly seed: number
  /** The user's own workload, in place of the built-in one of scenarios that take it. */
  readonly ownWorkload: Workload | null
  /** Folder for the client's history files; made when needed, removed by the caller. */
  readonly directory: string
  /** The command that runs this trial again. */
  readonly replay: string
  /** Aborted when the trial is interrupted. */
  readonly signal: AbortSignal
}

/** How one load of a scenario is offered; see contracts/load.ts. */
export interface OfferOptions {
  readonly workload: Workload
  readonly profile: Profile
  /** Default: the runtime's Service. */
  readonly target?: LoadTarget
  readonly timeoutMs?: number
  /** Ends the arrivals before the profile does; what is open is still awaited. */
  readonly until?: AbortSignal
  /** Called about four times a second. */
  readonly onProgress?: (progress: LoadProgress) => void
}

/** Milliseconds after which a run without an answer is given up: twice what counts as hanging. */
const answerTimeoutMs = 10_000

/** The same for a user's own flow, whose steps may take long. */
const ownAnswerTimeoutMs = 120_000

/** Milliseconds that untilGauge waits unless told. */
const gaugeTimeoutMs = 3_000

/** Milliseconds between two questions to each pod of how it is. */
const healthIntervalMs = 500

/** Milliseconds that pods get, after the runtime has nothing in flight, to have nothing in hand either. */
const idleTimeoutMs = 2_000

/** Milliseconds of its own time that the system gets, after the last load, to bring every run to an end. */
const settleTimeoutMs = 6_000

/** The same by the clock, whatever others take. */
const mostSettleMs = 60_000

const roles = ['runtime', 'balancer', 'component-server'] as const satisfies readonly Role[]

export class Trial {
  readonly cluster: Cluster
  readonly durationMs: number
  readonly seed: number
  readonly signal: AbortSignal
  readonly noise: NoiseMeter
  /** Seeded: the same seed, the same choices. */
  readonly random: () => number
  /** µs of CLOCK_MONOTONIC. */
  readonly startedAt: number
  readonly #options: TrialOptions
  readonly #judgements: Judgement[] = []
  readonly #figures: Figure[] = []
  readonly #loads: NamedLoad[] = []
  readonly #ownedLoads: OwnedLoad[] = []
  readonly #events: (ChaosEvent | PodState | WindowStarted)[] = []
  /** Of the history, and not of the report: too many to draw. */
  readonly #observations: (PodUsage | PodHealth)[] = []
  readonly #clientFiles: string[] = []
  readonly #series: NamedSeries[] = []
  readonly #running = new Set<Promise<LoadResult>>()
  readonly #abandon = new AbortController()
  readonly #stopLoads = new AbortController()
  readonly #stopWatching: () => void
  #stopAsking: () => void = () => {}
  #asking: Promise<void> | null = null
  #pods: readonly PodActivity[] = []
  #affinity: AffinityMatrix | undefined

  constructor(options: TrialOptions) {
    this.#options = options
    this.cluster = options.cluster
    this.durationMs = options.durationMs
    this.seed = options.seed
    this.signal = options.signal
    this.noise = options.noise
    this.random = seededRandom(options.seed)
    this.startedAt = monotonicUs()
    this.#stopWatching = options.cluster.watch(({ at, kind, pod }) => {
      this.#recordState(at, pod, kind === 'gone' ? 'Gone' : pod.phase)
    })
  }

  /** Records who is there at the start, and what they hold: what comes and goes is watched from then on. */
  async recordPods(): Promise<void> {
    for (const role of roles) {
      for (const pod of await this.cluster.pods(role)) this.#recordState(monotonicUs(), pod, pod.phase)
    }
    await this.recordUsage('before')
    const timer = setInterval(() => {
      this.#asking ??= this.#recordHealth().finally(() => {
        this.#asking = null
      })
    }, healthIntervalMs)
    this.#stopAsking = () => clearInterval(timer)
  }

  /**
   * Records what every ready pod holds. After the load, pods get a moment to let go of what they have in hand.
   */
  async recordUsage(phase: PodUsage['phase']): Promise<void> {
    const deadline = performance.now() + (phase === 'after' ? idleTimeoutMs : 0)
    const pods = (await Promise.all(roles.map((role) => this.readyPods(role)))).flat()
    await Promise.all(
      pods.map(async (pod) => {
        for (;;) {
          const text = await scrape(this.cluster.podAdminUrl(pod))
          const usage = text === null ? null : usageOf(text, pod.role)
          const idle = usage !== null && Object.values(usage.open).every((count) => count === 0)
          if (!idle && performance.now() < deadline && !this.signal.aborted) {
            await pause(100, this.signal)
            continue
          }
          if (usage === null) return
          this.#observations.push({
            ...{ kind: 'pod.usage', at: monotonicUs(), role: pod.role, pod: pod.name, phase },
            ...usage,
          })
          return
        }
      }),
    )
  }

  /** Asks every pod that has not ended how it is, and balancers what they think of the component servers. */
  async #recordHealth(): Promise<void> {
    const pods = (await Promise.all(roles.map((role) => this.cluster.pods(role)))).flat()
    await Promise.all(
      pods.map(async (pod) => {
        const url = this.cluster.podAdminUrl(pod)
        const at = monotonicUs()
        const [says, text] = await Promise.all([
          askHealth(url),
          pod.role === 'balancer' ? scrape(url) : Promise.resolve(null),
        ])
        this.#observations.push({
          ...{ kind: 'pod.health', at, role: pod.role, pod: pod.name, says },
          ...(text === null ? {} : { backends: backendsOf(text) }),
        })
      }),
    )
  }

  #recordState(at: number, pod: Pod, phase: PodState['phase']): void {
    const { name, role, address, ready, restarts } = pod
    this.#events.push({ kind: 'pod.state', at, role, pod: name, address, phase, ready, restarts })
  }

  /** A lasting line of progress. */
  say(text: string): void {
    this.#options.progress.say(`${this.#options.scenario.name}: ${text}`)
  }

  /** A built-in workload, or the user's own where `--flow` gave one and this scenario takes it. */
  workload(name: WorkloadName, options: WorkloadOptions & { readonly builtIn?: boolean } = {}): Workload {
    const own = this.#options.ownWorkload
    return own !== null && options.builtIn !== true ? own : builtInWorkload(name, this.random, options)
  }

  /** Whether runs are of the user's own flow. */
  get hasOwnWorkload(): boolean {
    return this.#options.ownWorkload !== null
  }

  /** Begins a stretch of the trial with a name; it ends where the next begins. Returns its start in µs. */
  window(name: string): number {
    const at = monotonicUs()
    this.#events.push({ kind: 'window', at, scenario: this.#options.scenario.name, window: name })
    return at
  }

  /** Offers a load under a name of its own; resolves when the last answer is in, or the trial is interrupted. */
  async load(name: string, offer: OfferOptions): Promise<LoadResult> {
    await mkdir(this.#options.directory, { recursive: true })
    const serial = this.#clientFiles.length
    const prefix = `${this.#options.scenario.name}-${serial}-`
    const historyFile = join(this.#options.directory, `client-${serial}.ndjson`)
    this.#clientFiles.push(historyFile)
    await writeFile(historyFile, '')
    const options: LoadOptions = {
      target: offer.target ?? { kind: 'runs', url: await this.cluster.serviceUrl('runtime') },
      workload: offer.workload,
      profile: offer.profile,
      signal: AbortSignal.any([this.signal, this.#abandon.signal]),
      historyFile,
      requestPrefix: prefix,
      onProgress: (progress) => {
        const { offered, answered, failed, open } = progress
        offer.onProgress?.(progress)
        this.#options.progress.now(
          `${this.#options.scenario.name}: ${name}: ${offered} offered, ${answered} answered, ${failed} failed, ${open} open`,
        )
      },
      stop:
        offer.until === undefined
          ? this.#stopLoads.signal
          : AbortSignal.any([offer.until, this.#stopLoads.signal]),
      timeoutMs: offer.timeoutMs ?? (this.hasOwnWorkload ? ownAnswerTimeoutMs : answerTimeoutMs),
    }
    const running = this.#options.engine.run(options)
    this.#running.add(running)
    try {
      const result = await running
      this.#loads.push({ name, load: result })
      this.#ownedLoads.push({ name, prefix, load: result })
      return result
    } finally {
      this.#running.delete(running)
    }
  }

  /** Offers no more; resolves when what is open has its answer or was given up, each after its own timeout. */
  async stopLoads(): Promise<void> {
    this.#stopLoads.abort()
    await Promise.allSettled(this.#running)
  }

  /** Interrupts every load that still runs; resolves when they have ended. */
  async abandonLoads(): Promise<void> {
    this.#abandon.abort()
    await Promise.allSettled(this.#running)
  }

  /** The loads that have ended, each with the prefix of its request ids. */
  protected get ownedLoads(): readonly OwnedLoad[] {
    return this.#ownedLoads
  }

  /** Whether loads were given up before their end. */
  get abandoned(): boolean {
    return this.signal.aborted || this.#abandon.signal.aborted
  }

  /**
   * Records a fault or an operation on the cluster: requested, then observed once `action` has resolved.
   * The returned function records that it is gone again.
   */
  async chaos(
    name: string,
    victim: { readonly role?: Role; readonly pod?: string; readonly detail?: string },
    action: () => Promise<unknown>,
  ): Promise<() => void> {
    const record = (phase: ChaosEvent['phase']): void => {
      this.#events.push({ kind: 'chaos', at: monotonicUs(), name, phase, ...victim })
    }
    this.say(
      `${name}${victim.pod === undefined ? '' : ` ${victim.pod}`}${victim.detail === undefined ? '' : ` (${victim.detail})`}`,
    )
    record('requested')
    await action()
    record('observed')
    return () => record('cleared')
  }

  /** Pods of a role that are ready now. */
  async readyPods(role: Role): Promise<readonly Pod[]> {
    return (await this.cluster.pods(role)).filter((pod) => pod.ready && pod.phase === 'Running')
  }

  /**
   * Waits until each ready pod of a role has been so for a time, by the trial's own records, which begin with it:
   * whoever looks for pods has found them all by then.
   */
  async untilReadyFor(role: Role, ms: number): Promise<void> {
    const last = (await this.readyPods(role)).reduce(
      (latest, { readyAt }) => Math.max(latest, readyAt ?? 0),
      this.startedAt,
    )
    await this.pause(Math.max(0, ms - (monotonicUs() - last) / 1000))
  }

  /** A gauge or counter of a pod's /metrics, summed over its labels; null where the pod does not answer. */
  gauge(pod: Pod, name: string): Promise<number | null> {
    return readGauge(this.cluster.podAdminUrl(pod), name)
  }

  /** Waits until a gauge of a pod has reached a value, or the time is up: what it was then is for the trial to judge. */
  async untilGauge(pod: Pod, name: string, least: number, timeoutMs = gaugeTimeoutMs): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (performance.now() < deadline && !this.signal.aborted) {
      if (((await this.gauge(pod, name)) ?? 0) >= least) return
      await pause(20, this.signal)
    }
  }

  /**
   * Waits until the runtime counts no run in flight, or the deadline for hanging runs has passed.
   * @returns how many are still in flight; null where a runtime does not answer
   */
  async settle(): Promise<number | null> {
    const [fromUs, fromMs] = [monotonicUs(), performance.now()]
    for (;;) {
      const runtimes = await this.cluster.pods('runtime')
      const counts = await Promise.all(
        runtimes.map((pod) => this.gauge(pod, 'stepflow_runtime_runs_in_flight')),
      )
      const open = counts.some((count) => count === null)
        ? null
        : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)
      const taken = this.othersShare({ from: fromUs, until: monotonicUs() }) ?? 0
      const tookMs = performance.now() - fromMs
      const over = tookMs * (1 - taken) > settleTimeoutMs || tookMs > mostSettleMs
      if (open === 0 || over || this.signal.aborted) return open
      await pause(50, this.signal)
    }
  }

  /**
   * Every record of this trial until `until` (µs), by all witnesses, in order; also fills the report's pods and
   * affinity.
   */
  async history(until: number): Promise<History> {
    const gathered = await this.#options.gatherer.gather({
      cluster: this.cluster,
      clientFiles: this.#clientFiles,
      events: [...this.#events, ...this.#observations],
      from: this.startedAt,
      until,
    })
    this.#pods = gathered.pods
    this.#affinity = gathered.affinity
    return gathered.history
  }

  /** The loads that have ended. */
  get loads(): readonly NamedLoad[] {
    return this.#loads
  }

  /** Checkers that the scenario's definition names. */
  get ownCheckers(): readonly CheckerName[] {
    return this.#options.scenario.definition.checkers ?? []
  }

  /** Adds what checkers found. */
  judge(...results: readonly CheckerResult[]): void {
    for (const result of results) {
      this.#judgements.push(result)
      if (result.outcome !== 'pass') this.say(`${result.name}: ${result.outcome}: ${result.reason}`)
    }
  }

  /**
   * Compares a measured figure with the target of that name. Where `during` says over which stretch the figure was
   * taken, what the machine did meanwhile may excuse a miss (missed-target.ts): it is unknown then.
   * @throws GauntletError where scenarios/targets.ts has no such target
   */
  threshold(
    name: string,
    measured: number | { readonly unknown: string },
    samples?: number,
    during?: { readonly from: number; readonly until: number },
  ): void {
    const target = targetNamed(this.#options.targets, name)
    const judged = judgeThreshold(target, measured, samples)
    const excuse =
      judged.outcome === 'fail' && during !== undefined
        ? excuseFor(target, stretchSeconds(this.noise, during.from, during.until))
        : null
    const result: ThresholdResult =
      excuse === null ? judged : { ...judged, outcome: 'unknown', reason: `${judged.reason}; but ${excuse}` }
    this.#judgements.push(result)
    if (result.outcome !== 'pass') this.say(`${result.name}: ${result.outcome}: ${result.reason}`)
  }

  /** See harness/noise.ts. */
  othersShare({ from, until }: { readonly from: number; readonly until: number }): number | null {
    return othersShare(this.noise, from, until)
  }

  /** The value of a target, for scenarios that plan with it. */
  target(name: string): number {
    return targetNamed(this.#options.targets, name).target
  }

  /** A figure shown but not judged. */
  figure(name: string, value: Figure['value'], unit?: string, note?: string): void {
    this.#figures.push({
      name,
      value,
      ...(unit === undefined ? {} : { unit }),
      ...(note === undefined ? {} : { note }),
    })
  }

  /** A figure over time, for the report's charts. */
  series(series: NamedSeries): void {
    this.#series.push(series)
  }

  /** Pauses; returns early when the trial is interrupted. */
  pause(ms: number): Promise<void> {
    return pause(ms, this.signal)
  }

  /** The result so far. `ended` says why the scenario's function did not return. */
  result(ended?: ScenarioResult['ended']): ScenarioResult {
    this.#stopWatching()
    this.#stopAsking()
    return {
      scenario: this.#options.scenario.name,
      summary: this.#options.scenario.definition.summary,
      verdict: verdictOf(this.#judgements, ended),
      startedAt: this.startedAt,
      endedAt: monotonicUs(),
      seed: this.seed,
      judgements: this.#judgements,
      figures: this.#figures,
      loads: this.#loads,
      events: this.#events.toSorted((a, b) => a.at - b.at),
      pods: this.#pods,
      ...(this.#affinity === undefined ? {} : { affinity: this.#affinity }),
      ...(this.#series.length === 0 ? {} : { series: this.#series }),
      replay: this.#options.replay,
      ...(ended === undefined ? {} : { ended }),
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
