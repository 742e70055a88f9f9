// Runs an experiment in a trial: load, faults at their triggers, stop conditions, and the judgement of what must hold.

import { type Checker, type CheckerName, checkers } from '../../chaos/checkers/index.ts'
import { describeCondition, isWithin, measure } from '../../chaos/experiments/conditions.ts'
import type { Condition, Experiment, PlacedFault, Trigger } from '../../chaos/experiments/model.ts'
import type { Fault } from '../../chaos/faults/index.ts'
import { seededRandom } from '../../chaos/random.ts'
import type { HeldMoment } from '../../contracts/hooks.ts'
import type { LoadProgress } from '../../contracts/load.ts'
import type { CheckerResult, NamedLoad } from '../../contracts/results.ts'
import { monotonicUs } from '../clock.ts'
import type { JudgedTrial } from '../scenario/judged-trial.ts'
import { healEarlier, type InjectedFault } from './inject.ts'

export interface ExperimentOptions {
  readonly faults: Readonly<Record<string, Fault>>
  /** The user's own, by name, beside those of the registry. */
  readonly ownCheckers: Readonly<Record<string, Checker>>
}

/** Triggers other than a time come after so much of steady load, for the control, ms. */
const controlMs = 3_000
/** How a run ends belongs to the second of its start: the last before the first fault are none of the control's, µs. */
const guardUs = 600_000
/** How long a trigger may take to come, ms, beyond the experiment's duration. */
const triggerPatienceMs = 10_000
const lookEveryMs = 25
/** Seconds over which stop conditions look back. */
const stopWindowMs = 2_000
/** Load goes on for so long after the recovery, so that there is something to measure, ms. */
const tailMs = 2_000
/** A share of the machine above which a condition that is broken says nothing. */
const mostTakenShare = 0.2

/** What looks at nothing but streams and their callbacks. */
const ofStreams: readonly CheckerName[] = ['affinity', 'streams-end']

const gauges = {
  streams: { role: 'component-server', name: 'stepflow_component_server_streams_open' },
  callbacks: { role: 'component-server', name: 'stepflow_component_server_callbacks_unanswered' },
  runs: { role: 'runtime', name: 'stepflow_runtime_runs_in_flight' },
} as const

interface Live {
  readonly progress: Map<string, { readonly at: number; readonly progress: LoadProgress }[]>
  /** Aborted by a stop condition or the trial's interruption. */
  readonly signal: AbortSignal
}

export async function runExperiment(
  trial: JudgedTrial,
  experiment: Experiment,
  options: ExperimentOptions,
): Promise<void> {
  for (const line of await healEarlier()) trial.say(line)
  const stop = new AbortController()
  const enough = new AbortController()
  const signal = AbortSignal.any([trial.signal, stop.signal])
  const live: Live = { progress: new Map(), signal }
  const injected: InjectedFault[] = []
  const startedAt = trial.window('control')
  const loads = experiment.loads.map((load) => {
    const seen: { at: number; progress: LoadProgress }[] = []
    live.progress.set(load.name, seen)
    return trial.load(load.name, {
      workload: trial.workload(load.workload, {
        inputs: 4_000,
        ...(load.holdMs === undefined ? {} : { holdMs: load.holdMs }),
      }),
      profile:
        load.rateRps === undefined
          ? { kind: 'concurrent', users: load.users ?? 1, durationMs: 3_600_000 }
          : { kind: 'constant', rateRps: load.rateRps, durationMs: 3_600_000 },
      until: enough.signal,
      onProgress: (progress) => seen.push({ at: performance.now(), progress }),
    })
  })
  const guard = watchStops(trial, experiment, live, stop)
  let from = 0
  let healed = 0
  try {
    const done = new Map<string, () => void>()
    const landed = new Map(
      experiment.faults.map(({ name }) => [name, new Promise<void>((resolve) => done.set(name, resolve))]),
    )
    // Faults of the same trial draw from numbers of their own, so that their order in time changes no choice.
    const seeds = experiment.faults.map(() => Math.floor(trial.random() * 2 ** 32))
    await Promise.all(
      experiment.faults.map(async (placed, i) => {
        const { moment, ok } = await waitFor(
          trial,
          placed.trigger,
          live,
          landed,
          experiment.durationMs,
          startedAt,
        )
        try {
          if (signal.aborted) return
          if (!ok) return void trial.judge(neverCame(placed))
          if (from === 0) from = trial.window('fault')
          const used = injected.flatMap(({ landed, pods }) => (landed ? pods : []))
          const fault = await trial.inject(placed.fault, {
            role: placed.role,
            ...(moment === null || options.faults[placed.fault]?.victim !== 'pod'
              ? { pods: placed.pods }
              : { pod: moment.pod }),
            settings: placed.settings,
            name: placed.name,
            faults: options.faults,
            mostPods: experiment.blastRadius.pods - new Set(used).size,
            random: seededRandom(seeds[i]!),
            signal,
          })
          injected.push(fault)
          await moment?.release()
          done.get(placed.name)?.()
          await pauseOr(placed.forMs, signal)
          await fault.undo()
          healed = monotonicUs()
        } finally {
          done.get(placed.name)?.()
          await moment?.release().catch(() => {})
        }
      }),
    )
    if (healed !== 0) trial.window('recovery')
    const tail = healed === 0 ? 0 : experiment.recoverWithinMs + tailMs - (monotonicUs() - healed) / 1000
    await pauseOr(Math.max(tail, experiment.durationMs - (monotonicUs() - startedAt) / 1000), signal)
  } finally {
    // Whatever happened above: nothing stays injected.
    await Promise.all(injected.map((fault) => fault.undo()))
    guard.end()
    enough.abort()
  }
  const results = await Promise.all(loads)
  const until = monotonicUs()
  trial.window('settle')
  await trial.settle()
  const named = experiment.loads.map(({ name }, i): NamedLoad => ({ name, load: results[i]! }))
  judgeConditions(trial, experiment, named, {
    startedAt,
    from: from || until,
    healed: healed || until,
    until,
  })
  trial.judge(landedResult(experiment, injected))
  if (experiment.loads.every(({ workload }) => workload === 'double'))
    trial.expectNothingFor(ofStreams, 'no load of the experiment has streams')
  const registered = experiment.checkers.filter((name): name is CheckerName => Object.hasOwn(checkers, name))
  await trial.checkInvariants(...registered)
  const own = experiment.checkers.flatMap((name) => options.ownCheckers[name] ?? [])
  await trial.checkBy(own)
}

/** Waits for a trigger; `ok` false: it did not come in time. */
async function waitFor(
  trial: JudgedTrial,
  trigger: Trigger,
  live: Live,
  landed: ReadonlyMap<string, Promise<void>>,
  durationMs: number,
  startedAt: number,
): Promise<{ readonly ok: boolean; readonly moment: HeldMoment | null }> {
  const { signal } = live
  switch (trigger.kind) {
    case 'at':
      await pauseOr(trigger.atMs - (monotonicUs() - startedAt) / 1000, signal)
      return { ok: true, moment: null }
    case 'after':
      await landed.get(trigger.fault)
      return { ok: true, moment: null }
    case 'moment': {
      await pauseOr(controlMs, signal)
      const late = AbortSignal.any([signal, AbortSignal.timeout(durationMs + triggerPatienceMs)])
      const { event, step } = trigger
      const at = { event, ...(step === undefined ? {} : { step }) }
      const moment =
        (await trial.cluster.hooks?.links?.moment({ role: 'component-server' }, at, late)) ?? null
      return { ok: moment !== null, moment }
    }
    case 'count': {
      await pauseOr(controlMs, signal)
      const deadline = performance.now() + durationMs + triggerPatienceMs
      while (!signal.aborted && performance.now() < deadline) {
        if ((await countNow(trial, trigger.what, live)) >= trigger.least) return { ok: true, moment: null }
        await pauseOr(lookEveryMs, signal)
      }
      return { ok: false, moment: null }
    }
  }
}

async function countNow(
  trial: JudgedTrial,
  what: 'streams' | 'callbacks' | 'runs' | 'answers',
  live: Live,
): Promise<number> {
  if (what === 'answers') {
    return [...live.progress.values()].reduce((sum, seen) => sum + (seen.at(-1)?.progress.answered ?? 0), 0)
  }
  const { role, name } = gauges[what]
  const counts = await Promise.all((await trial.readyPods(role)).map((pod) => trial.gauge(pod, name)))
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)
}

/** Looks at the stop conditions while the load runs; a broken one ends the experiment. */
function watchStops(
  trial: JudgedTrial,
  experiment: Experiment,
  live: Live,
  stop: AbortController,
): { end(): void } {
  const look = (): void => {
    for (const condition of experiment.stop) {
      for (const [load, seen] of live.progress) {
        if (condition.load !== undefined && condition.load !== load) continue
        const value = liveFigure(condition.metric, seen)
        if (value === null || isWithin(condition, value) || stop.signal.aborted) continue
        const reason = `${describeCondition(condition)}: ${load} had ${value.toFixed(2)}; all faults were undone`
        trial.judge({
          kind: 'checker',
          name: 'stop-condition',
          claim: 'No stop condition ends the experiment',
          outcome: 'unknown',
          reason,
          examined: 1,
        })
        stop.abort()
      }
    }
  }
  const timer = setInterval(look, 100)
  return { end: () => clearInterval(timer) }
}

function liveFigure(
  metric: Condition['metric'],
  seen: readonly { readonly at: number; readonly progress: LoadProgress }[],
): number | null {
  const last = seen.at(-1)
  if (last === undefined) return null
  if (metric === 'open-runs') return last.progress.open
  const before = seen.findLast(({ at }) => last.at - at >= stopWindowMs)
  if (before === undefined) return null
  const answered = last.progress.answered - before.progress.answered
  const failed = last.progress.failed - before.progress.failed
  if (metric === 'success-share') return answered === 0 ? null : (answered - failed) / answered
  return metric === 'completed-rps' ? ((answered - failed) / (last.at - before.at)) * 1000 : null
}

function judgeConditions(
  trial: JudgedTrial,
  experiment: Experiment,
  loads: readonly NamedLoad[],
  times: {
    readonly startedAt: number
    readonly from: number
    readonly healed: number
    readonly until: number
  },
): void {
  const control = { from: times.startedAt, until: times.from - guardUs }
  const recovered = { from: times.healed + experiment.recoverWithinMs * 1000, until: times.until }
  const judge = (
    name: string,
    condition: Condition,
    stretch: { readonly from: number; readonly until: number },
    broken: 'fail' | 'unknown',
  ): void => {
    const measured = measure(condition, loads, stretch)
    const off = measured.filter(({ holds }) => holds === false)
    const unmeasured = measured.some(({ holds }) => holds === null) || measured.length === 0
    const figures = measured.map(
      ({ load, value }) => `${load} ${value === null ? 'not measured' : Number(value.toFixed(3))}`,
    )
    const taken = off.length > 0 ? (trial.othersShare(stretch) ?? 0) : 0
    const outcome =
      off.length > 0 ? (taken > mostTakenShare ? 'unknown' : broken) : unmeasured ? 'unknown' : 'pass'
    const note =
      taken > mostTakenShare ? `; but others took ${(taken * 100).toFixed(0)} % of the machine` : ''
    trial.judge({
      kind: 'checker',
      name: `${name}: ${describeCondition(condition)}`,
      claim: `${describeCondition(condition)} (${name})`,
      outcome,
      reason: `${figures.join(', ')}${note}`,
      examined: measured.length,
    })
  }
  for (const condition of experiment.steady) {
    judge('steady before', condition, control, 'unknown')
    if (experiment.faults.length > 0) judge('steady after', condition, recovered, 'fail')
  }
  if (experiment.faults.length === 0) return
  for (const condition of experiment.during)
    judge('during', condition, { from: times.from, until: times.healed }, 'fail')
  for (const condition of experiment.after) judge('after', condition, recovered, 'fail')
}

function neverCame({ name }: PlacedFault): CheckerResult {
  return {
    kind: 'checker',
    name: `fault ${name}`,
    claim: 'Each fault takes effect and is gone after it was undone',
    outcome: 'unknown',
    reason: 'its trigger never came',
    examined: 1,
  }
}

function landedResult({ faults }: Experiment, injected: readonly InjectedFault[]): CheckerResult {
  const landed = injected.filter((fault) => fault.landed).length
  return {
    kind: 'checker',
    name: 'faults-landed',
    claim: 'Every fault of the experiment was seen to take effect',
    outcome: landed === faults.length ? 'pass' : 'unknown',
    reason: `${landed} of ${faults.length}`,
    examined: Math.max(1, faults.length),
  }
}

function pauseOr(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve()
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
