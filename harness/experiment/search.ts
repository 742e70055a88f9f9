// Runs drawn schedules one after another; a failing one is shrunk, measured, and kept as an experiment file.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { checkers } from '../../chaos/checkers/index.ts'
import type { Experiment } from '../../chaos/experiments/model.ts'
import { faults } from '../../chaos/faults/index.ts'
import { drawExperiment } from '../../chaos/search/schedule.ts'
import { shrink } from '../../chaos/search/shrink.ts'
import { experimentText } from '../../chaos/search/write.ts'
import type { ClusterOptions } from '../../contracts/cluster.ts'
import { type ExitCode, exitCodes } from '../../contracts/exit-codes.ts'
import { runSession } from '../scenario/session.ts'
import { shellWord } from '../scenario/shell-word.ts'
import { makeTemporaryFolder } from '../temporary-folder.ts'
import { definitionOf } from './definition.ts'

export interface SearchOptions {
  readonly seed: number
  readonly trials: number
  /** Number of the first schedule. */
  readonly first: number
  /** Runs that shrinking one failure may take. */
  readonly tries: number
  /** Runs that measure how often the shrunk one fails. */
  readonly repeats: number
  readonly out: string
  /** Further options of the cluster: a test plants a defect by `nodeArgs`. */
  readonly cluster?: ClusterOptions
  /** Where progress goes; default standard output. */
  readonly say?: (line: string) => void
}

export interface Found {
  readonly file: string
  readonly experiment: Experiment
  /** Checkers that failed in the first run. */
  readonly failed: readonly string[]
  /** How often the shrunk experiment failed again in `of` runs. */
  readonly reproduced: number
  readonly of: number
}

/** Exit codes that end the search: interrupted, or the harness itself broke. */
const endings: readonly ExitCode[] = [
  exitCodes.harness,
  exitCodes.hungUp,
  exitCodes.interrupted,
  exitCodes.terminated,
]

const scenarioFile = join(import.meta.dirname, '../../scenarios/experiment.mjs')
const own = { faults, checkers: {} }

/** FAIL beats INVALID beats PASS; an INVALID trial is run a second time first. */
export async function searchChaos(
  options: SearchOptions,
): Promise<{ readonly code: ExitCode; readonly found: readonly Found[] }> {
  const say = options.say ?? ((line: string) => void process.stdout.write(`${line}\n`))
  const found: Found[] = []
  let code: ExitCode = exitCodes.pass
  say(`seed ${options.seed}: ${options.trials} schedules from number ${options.first}`)
  for (let trial = options.first; trial < options.first + options.trials; trial++) {
    const experiment = drawExperiment(options.seed, trial)
    say(
      `schedule ${trial}: ${experiment.faults.map((fault) => `${fault.fault} on ${fault.role}`).join(', ')}`,
    )
    let ended = await run(experiment, options, options.out)
    if (ended.code === exitCodes.invalid) ended = await run(experiment, options, options.out)
    if (endings.includes(ended.code)) return { code: ended.code, found }
    say(
      `schedule ${trial}: ${ended.verdict}${ended.failed.length === 0 ? '' : `: ${ended.failed.join(', ')}`}`,
    )
    if (ended.code === exitCodes.invalid && code === exitCodes.pass) code = exitCodes.invalid
    if (ended.code !== exitCodes.fail) continue
    code = exitCodes.fail
    const kept = await keep(experiment, ended.failed, options, say).catch((error: unknown) => {
      if (error instanceof Ending) return error
      throw error
    })
    if (kept instanceof Ending) return { code: kept.code, found }
    found.push(kept)
    say(`kept ${kept.file}: fails ${kept.reproduced} of ${kept.of} times`)
    say(`  replay: npx zx scenarios/experiment.mjs ${shellWord(kept.file)} --seed ${options.seed}`)
  }
  return { code, found }
}

/** A run that was interrupted, or in which the harness broke, in the middle of shrinking. */
class Ending extends Error {
  readonly code: ExitCode

  constructor(code: ExitCode) {
    super('the search was ended')
    this.code = code
  }
}

interface Ended {
  readonly code: ExitCode
  readonly verdict: string
  readonly failed: readonly string[]
}

/** One run on a fresh system. */
async function run(experiment: Experiment, options: SearchOptions, out: string): Promise<Ended> {
  const command = `npm run chaos -- --seed ${options.seed} --first ${experiment.name.split('-').at(-1)} --trials 1`
  const loaded = {
    name: experiment.name,
    file: scenarioFile,
    definition: definitionOf(experiment, own),
    replay: command,
  }
  const { code, results } = await runSession({
    suite: experiment.name,
    scenarios: [loaded],
    options: {
      ...{ cluster: 'local', durationMs: null, seed: options.seed, out, json: false },
      ...{ flow: null, inputs: null, expect: null, targets: null, components: null },
    },
    durationOf: () => experiment.durationMs,
    command,
    ...(options.cluster === undefined ? {} : { cluster: options.cluster }),
  })
  const judgements = results.scenarios.flatMap((scenario) => scenario.judgements)
  const failed = judgements
    .filter(({ kind, outcome }) => kind === 'checker' && outcome === 'fail')
    .map(({ name }) => name)
  return { code, verdict: results.verdict, failed }
}

/** Shrinks a failure, measures how often it comes again, and writes its file. */
async function keep(
  experiment: Experiment,
  failed: readonly string[],
  options: SearchOptions,
  say: (line: string) => void,
): Promise<Found> {
  const scratch = makeTemporaryFolder()
  try {
    // Another failure than the first is another cause.
    const fails = async (candidate: Experiment): Promise<boolean> => {
      const ended = await run(candidate, options, scratch)
      if (endings.includes(ended.code)) throw new Ending(ended.code)
      return ended.failed.some((name) => failed.includes(name))
    }
    const { experiment: least, tried } = await shrink(experiment, fails, options.tries)
    say(`shrunk in ${tried} runs to ${least.faults.length} of ${experiment.faults.length} faults`)
    let reproduced = 0
    for (let i = 0; i < options.repeats; i++) if (await fails(least)) reproduced++
    const folder = join(options.out, 'chaos')
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${experiment.name}.yaml`)
    const kept: Experiment = {
      ...least,
      description: `Schedule found by seed ${options.seed}: every invariant holds`,
      checkers: failed.filter((name) => Object.hasOwn(checkers, name)),
    }
    const notes = [
      `Found by npm run chaos -- --seed ${options.seed}, shrunk in ${tried} runs.`,
      `Failed then: ${failed.join(', ')}. Failed again ${reproduced} of ${options.repeats} times.`,
    ]
    writeFileSync(file, experimentText(kept, notes))
    return { file: relative(process.cwd(), file), experiment: kept, failed, reproduced, of: options.repeats }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
