// One boot of the system, the scenarios of a suite one after another, one report, one exit code.

import { readFile, rm } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { Cluster, ClusterOptions, Role } from '../../contracts/cluster.ts'
import { GauntletError } from '../../contracts/errors.ts'
import { type ExitCode, exitCodeOf, exitCodes } from '../../contracts/exit-codes.ts'
import type { LoadEngine, Workload } from '../../contracts/load.ts'
import type { CheckerResult, Results, ScenarioResult } from '../../contracts/results.ts'
import { resultsSchemaVersion } from '../../contracts/results.ts'
import type { Targets } from '../../contracts/targets.ts'
import {
  judgementsOf,
  loadTargets,
  notMeasuredOf,
  renderTable,
  suiteVerdict,
  verdictOf,
  verifyResults,
  type WrittenReport,
  writeReport,
} from '../../reports/index.ts'
import { targets as defaultTargets } from '../../scenarios/targets.ts'
import { clockOriginMs, monotonicUs } from '../clock.ts'
import { startCluster } from '../cluster/index.ts'
import { judgeJudges } from '../known-answers.ts'
import { createEmbeddedEngine } from '../load/index.ts'
import { createNoiseMeter, type NoiseMeter, othersShare } from '../noise.ts'
import { makeTemporaryFolder } from '../temporary-folder.ts'
import { benchmarkFigures } from './benchmark-figures.ts'
import type { LoadedScenario } from './definition.ts'
import { describeEnvironment } from './environment.ts'
import { createGatherer, type Gatherer } from './gather.ts'
import { JudgedTrial } from './judged-trial.ts'
import { formatDuration, type ScenarioOptions } from './options.ts'
import { prepareOut } from './out.ts'
import { createProgress, type Progress } from './progress.ts'
import { shellWord } from './shell-word.ts'
import { userWorkload } from './workloads.ts'

export interface SessionOptions {
  /** Names the report: the scenario's name, or `load`. */
  readonly suite: string
  readonly scenarios: readonly LoadedScenario[]
  readonly options: ScenarioOptions
  /** How long each scenario's load runs, ms. */
  readonly durationOf: (scenario: LoadedScenario) => number
  /** The command as typed, for the report. */
  readonly command: string
  /** Further options of the cluster, over those of the scenarios: a test plants a defect by `nodeArgs`. */
  readonly cluster?: ClusterOptions
}

export interface SessionEnd {
  readonly code: ExitCode
  readonly results: Results
  readonly report: WrittenReport
  /** What the report on disk gets wrong of what was measured; null where it tells all, or was not asked. */
  readonly untrue: string | null
  /** Mean share of the machine that others had, 0 to 1; null where it was not measured. */
  readonly othersShare: number | null
}

/** Replicas that a scenario starts from unless it says otherwise; the architecture's. */
const defaultReplicas: Readonly<Record<Role, number>> = { runtime: 1, balancer: 2, 'component-server': 3 }

const ownComponents = join(import.meta.dirname, '../../scenarios/components/hold.ts')

/** A kubelet's, by either of its drivers: on a machine that is also the cluster's node, the pods' work is the trial's. */
const podCgroups = /[/:]kubepods\b/

/** What ended the session before its last scenario did. */
type Ended = NonNullable<ScenarioResult['ended']> & { readonly code: ExitCode }

/**
 * Runs the scenarios, writes the report, prints the table, and gives the exit code with all that was measured.
 * @throws GauntletError for wrong options or a missing environment, before anything is started
 */
export async function runSession(session: SessionOptions): Promise<SessionEnd> {
  const { options } = session
  const startedAtMs = performance.now()
  const startedAt = new Date()
  const progress = createProgress(options.json ? process.stderr : process.stdout, startedAtMs)
  const out = isAbsolute(options.out) ? options.out : join(process.cwd(), options.out)
  await prepareOut(out)
  const targets = await loadTargets(defaultTargets, options.targets)
  const ownWorkload =
    options.flow === null ? null : userWorkload(options.flow, options.inputs, options.expect)
  const abort = new AbortController()
  let ended: Ended | null = null
  const end = (reason: Ended): void => {
    ended ??= reason
    abort.abort()
  }
  await using stack = new AsyncDisposableStack()
  stack.use(endOnSignals(end, progress))
  stack.use(endOnStrayErrors(end))

  const noise = createNoiseMeter(options.cluster === 'kubernetes' ? { cgroups: podCgroups } : {})
  stack.use(noise)
  const bornAt = monotonicUs()
  const share = () => othersShare(noise, bornAt, monotonicUs())
  const results: ScenarioResult[] = []
  const begun = new Set<LoadedScenario>()
  const gatherer = createGatherer()
  let environment: Results['environment'] | null = null
  const judges = judgeJudges()
  if (judges.outcome === 'fail') end({ kind: 'error', message: judges.reason, code: exitCodes.harness })
  progress.say(`seed ${options.seed}; starting the system (${options.cluster})`)
  try {
    await using system = await bootSystem(session, noise, abort.signal)
    const directory = system.cluster.scratchDirectory ?? ownFolder(stack)
    environment = describeEnvironment(system.cluster, system.engine.kind)
    progress.say('the system is ready')
    for (const scenario of session.scenarios) {
      if (abort.signal.aborted) break
      begun.add(scenario)
      const result = await runTrial({
        session,
        gatherer,
        scenario,
        system,
        targets,
        ownWorkload,
        progress,
        directory,
        signal: abort.signal,
        ended: () => ended,
        end,
      })
      results.push(result)
      progress.say(`${scenario.name}: ${result.verdict}`)
    }
    progress.say('stopping the system')
  } catch (error) {
    if (error instanceof GauntletError && error.code === 'ERR_ENVIRONMENT') throw error
    if (environment === null) raiseComponentProblem(error, options.components)
    if (!abort.signal.aborted && error instanceof GauntletError && environment === null) {
      results.push(bootFailure(session, error, share()))
    } else if (!abort.signal.aborted) {
      end({ kind: 'error', message: textOf(error), code: exitCodes.harness })
    }
  }
  progress.done()

  const stopped = ended as Ended | null
  if (stopped !== null) {
    const left = session.scenarios.filter((scenario) => !begun.has(scenario))
    results.push(...left.map((scenario) => notRun(session, scenario, stopped)))
  }
  const judgements = [judges, ...(stopped === null ? [] : [stoppedJudgement(stopped)])]
  const report: Results = {
    schemaVersion: resultsSchemaVersion,
    suite: session.suite,
    verdict: suiteVerdict(results, judgements),
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - startedAtMs),
    clockOriginMs: clockOriginMs(),
    seed: options.seed,
    command: session.command,
    environment: environment ?? describeEnvironment({ kind: options.cluster, description: {} }, 'embedded'),
    scenarios: results,
    judgements,
    notMeasured: notMeasuredOf(ownTargets(session, targets), results, [], benchmarkFigures()),
  }
  // Said before it is written: a disk that is full by now must not take the results along.
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`)
  else process.stdout.write(`\n${renderTable(report, { colour: process.stdout.isTTY === true })}\n`)
  const paths = await writeReport(report, { outDirectory: out })
  progress.say(`report: ${paths.html}`)
  if (stopped !== null) {
    process.stderr.write(
      `${stopped.kind === 'error' ? 'harness error' : 'interrupted'}: ${stopped.message}\n`,
    )
    return { code: stopped.code, results: report, report: paths, untrue: null, othersShare: share() }
  }
  const untrue = await untrueReport(report, paths)
  if (untrue !== null) {
    process.stderr.write(`harness error: ${untrue}\n`)
    return { code: exitCodes.harness, results: report, report: paths, untrue, othersShare: share() }
  }
  return { code: exitCodeOf(report.verdict), results: report, report: paths, untrue, othersShare: share() }
}

/** What the report on disk gets wrong of what was measured; null where it tells all. */
async function untrueReport(report: Results, paths: WrittenReport): Promise<string | null> {
  const written = JSON.parse(await readFile(paths.json, 'utf8')) as Results
  const told = judgementsOf(written).map(({ judgement }) => `${judgement.name} ${judgement.outcome}`)
  const lost = judgementsOf(report)
    .map(({ judgement }) => `${judgement.name} ${judgement.outcome}`)
    .filter((judgement) => !told.includes(judgement))
  const { disagreements } = verifyResults(written)
  const problems = [...lost.map((judgement) => `the report leaves out ${judgement}`), ...disagreements]
  return problems.length === 0 ? null : `the report does not hold together: ${problems.join('; ')}`
}

/** A scenario run alone answers for its own targets, the suite for all of them. */
function ownTargets(session: SessionOptions, targets: Targets): Targets {
  if (session.scenarios.length > 1) return targets
  const own = new Set(session.scenarios.map(({ name }) => name))
  return Object.fromEntries(Object.entries(targets).filter(([, { scenario }]) => own.has(scenario)))
}

interface System extends AsyncDisposable {
  readonly cluster: Cluster
  readonly engine: LoadEngine
  readonly noise: NoiseMeter
}

/** Boots cluster, load engine and noise meter side by side; a failure of one stops the others. */
async function bootSystem(session: SessionOptions, noise: NoiseMeter, signal: AbortSignal): Promise<System> {
  await using stack = new AsyncDisposableStack()
  const replicas = { ...defaultReplicas, ...session.scenarios[0]?.definition.replicas }
  const links = [...new Set(session.scenarios.flatMap(({ definition }) => definition.links ?? []))]
  const [cluster, engine] = await Promise.allSettled([
    startCluster(session.options.cluster, {
      replicas,
      links,
      componentFiles:
        session.options.components === null
          ? [ownComponents]
          : [ownComponents, resolve(session.options.components)],
      signal,
      ...session.cluster,
    }),
    createEmbeddedEngine(),
  ])
  if (cluster.status === 'fulfilled') stack.use(cluster.value)
  if (engine.status === 'fulfilled') stack.use(engine.value)
  if (cluster.status === 'rejected') throw cluster.reason
  if (engine.status === 'rejected') throw engine.reason
  const owned = stack.move()
  return {
    cluster: cluster.value,
    engine: engine.value,
    noise,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface TrialRun {
  readonly session: SessionOptions
  readonly scenario: LoadedScenario
  readonly system: System
  readonly targets: Targets
  readonly ownWorkload: Workload | null
  readonly gatherer: Gatherer
  readonly progress: Progress
  readonly directory: string
  readonly signal: AbortSignal
  readonly ended: () => Ended | null
  readonly end: (reason: Ended) => void
}

async function runTrial(run: TrialRun): Promise<ScenarioResult> {
  const { session, scenario, system, signal } = run
  const durationMs = session.durationOf(scenario)
  const seed = session.options.seed
  const restored = await restoreReplicas(system.cluster, scenario, signal).then(
    () => null,
    (error: unknown) => ({ error }),
  )
  const trial = new JudgedTrial({
    gatherer: run.gatherer,
    scenario,
    cluster: system.cluster,
    engine: system.engine,
    noise: system.noise,
    targets: run.targets,
    progress: run.progress,
    durationMs,
    seed,
    ownWorkload: scenario.definition.takesFlow === true ? run.ownWorkload : null,
    directory: join(run.directory, scenario.name),
    replay: replayCommand(session.options, scenario, durationMs),
    signal,
  })
  try {
    if (restored !== null) throw restored.error
    const left = await trial.settle()
    if (left !== 0 && !signal.aborted) throw openBefore(left)
    await trial.recordPods()
    await scenario.definition.run(trial)
  } catch (error) {
    if (isOfCluster(error)) {
      // What the system did until then is judged all the same: a hanging stream also keeps its pod from ending.
      await trial.stopLoads()
      if (!signal.aborted) trial.judge(clusterUnknown(error))
      await trial.settle()
      await trial.checkInvariants()
    } else if (!signal.aborted) {
      run.end({ kind: 'error', message: `${scenario.name}: ${textOf(error)}`, code: exitCodes.harness })
    }
  }
  await trial.abandonLoads()
  const ended = run.ended()
  return trial.result(ended === null ? undefined : { kind: ended.kind, message: ended.message })
}

/** Brings each role back to what the scenario starts from, whatever the one before left. */
async function restoreReplicas(
  cluster: Cluster,
  scenario: LoadedScenario,
  signal: AbortSignal,
): Promise<void> {
  const wanted = { ...defaultReplicas, ...scenario.definition.replicas }
  const roles = Object.keys(wanted) as Role[]
  await Promise.all(roles.map((role) => cluster.scale(role, wanted[role])))
  await Promise.all(roles.map((role) => cluster.waitReady(role, { replicas: wanted[role], signal })))
}

/** The command that runs this trial again. */
function replayCommand(options: ScenarioOptions, scenario: LoadedScenario, durationMs: number): string {
  if (scenario.replay !== undefined) return scenario.replay
  const words = [
    `npx zx ${shellWord(relative(process.cwd(), scenario.file))}`,
    ...(scenario.words ?? []).map(shellWord),
    `--seed ${options.seed}`,
    `--duration ${formatDuration(durationMs)}`,
  ]
  if (options.cluster !== 'local') words.push(`--cluster ${options.cluster}`)
  for (const name of ['flow', 'inputs', 'expect', 'targets'] as const) {
    const value = options[name]
    if (value !== null && (name === 'targets' || scenario.definition.takesFlow === true)) {
      words.push(`--${name} ${shellWord(value)}`)
    }
  }
  if (options.components !== null) words.push(`--components ${shellWord(options.components)}`)
  return words.join(' ')
}

function isOfCluster(error: unknown): error is GauntletError {
  return error instanceof GauntletError && (error.code === 'ERR_CLUSTER' || error.code === 'ERR_TIMEOUT')
}

/** Runs of the scenario before would be taken for this one's. */
function openBefore(runs: number | null): GauntletError {
  const problem = runs === null ? 'a runtime does not answer' : `${runs} runs of before are still in flight`
  return new GauntletError('ERR_CLUSTER', problem, {
    field: 'runtime',
    fix: 'see the scenario before this one',
  })
}

function clusterUnknown(error: GauntletError): CheckerResult {
  return {
    kind: 'checker',
    name: 'cluster',
    claim: 'The cluster does what the scenario asks of it',
    outcome: 'unknown',
    reason: error.message,
    examined: 1,
  }
}

/**
 * A file of components that no pod can use is the user's, not the system's: wrong usage, in the pod's own words.
 * @throws GauntletError ERR_COMPONENT
 */
function raiseComponentProblem(error: unknown, components: string | null): void {
  const [, said] = /error: ([^\n]*) \(ERR_COMPONENT\)/.exec(textOf(error)) ?? []
  if (components === null || said === undefined) return
  throw new GauntletError('ERR_COMPONENT', said, { field: `--components ${components}`, cause: error })
}

/** Share of the machine, taken by others, above which a boot that took too long says nothing about the system. */
const mostTakenShare = 0.4

/** A system that does not come up is a finding about the system, not about the harness. */
function bootFailure(session: SessionOptions, error: GauntletError, others: number | null): ScenarioResult {
  const slow = error.message.includes('ERR_TIMEOUT') && others !== null && others > mostTakenShare
  const judgement: CheckerResult = {
    kind: 'checker',
    name: 'boot',
    claim: 'The system starts and becomes ready',
    outcome: slow ? 'unknown' : 'fail',
    reason: slow
      ? `other processes took ${(others * 100).toFixed(0)} % of the machine meanwhile; ${error.message}`
      : error.message,
    examined: 1,
  }
  const at = monotonicUs()
  return {
    scenario: 'boot',
    summary: 'Starts the system and waits until every pod is ready',
    verdict: verdictOf([judgement]),
    startedAt: at,
    endedAt: at,
    seed: session.options.seed,
    judgements: [judgement],
    figures: [],
    loads: [],
    events: [],
    pods: [],
    replay: session.command,
  }
}

/** For a cluster that has no folder to lend. */
function ownFolder(stack: AsyncDisposableStack): string {
  const directory = makeTemporaryFolder()
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** What the report says of a scenario that the end of the session came before. */
function notRun(session: SessionOptions, scenario: LoadedScenario, ended: Ended): ScenarioResult {
  const at = monotonicUs()
  return {
    scenario: scenario.name,
    summary: scenario.definition.summary,
    verdict: verdictOf([], ended),
    ...{ startedAt: at, endedAt: at, seed: session.options.seed },
    ...{ judgements: [], figures: [], loads: [], events: [], pods: [] },
    replay: replayCommand(session.options, scenario, session.durationOf(scenario)),
    ended: { kind: ended.kind, message: `not run: ${ended.message}` },
  }
}

/** A suite that did not run to its end proves nothing by those scenarios that passed. */
function stoppedJudgement(ended: Ended): CheckerResult {
  return {
    kind: 'checker',
    name: 'ran-to-its-end',
    claim: 'The suite runs to its end, and the system stops when asked to',
    outcome: 'unknown',
    reason: ended.kind === 'interrupted' ? `interrupted by ${ended.message}` : ended.message,
    examined: 1,
  }
}

/** The first signal ends the session with a report; the second ends the process at once. */
function endOnSignals(end: (reason: Ended) => void, progress: Progress): Disposable {
  let count = 0
  const codes = {
    SIGINT: exitCodes.interrupted,
    SIGTERM: exitCodes.terminated,
    SIGHUP: exitCodes.hungUp,
  } as const
  const handle = (signal: keyof typeof codes): void => {
    const code = codes[signal]
    count += 1
    if (count > 1) process.exit(code)
    progress.say(`${signal}: stopping; the report will hold what was measured until now`)
    end({ kind: 'interrupted', message: signal, code })
  }
  const signals = Object.keys(codes) as (keyof typeof codes)[]
  for (const signal of signals) process.on(signal, handle)
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, handle)
    },
  }
}

/** A throw or rejection that nothing caught is the harness's own fault: it ends the session with exit code 4. */
function endOnStrayErrors(end: (reason: Ended) => void): Disposable {
  const handle = (error: unknown): void => {
    end({ kind: 'error', message: textOf(error), code: exitCodes.harness })
  }
  process.on('uncaughtException', handle)
  process.on('unhandledRejection', handle)
  return {
    [Symbol.dispose]() {
      process.off('uncaughtException', handle)
      process.off('unhandledRejection', handle)
    },
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
