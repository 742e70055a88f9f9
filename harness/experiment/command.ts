// The command line of scenarios/experiment.mjs: an experiment's file, files of the user's own, and the common options.

import { relative } from 'node:path'
import { describeTrigger, type Experiment } from '../../chaos/experiments/model.ts'
import { GauntletError } from '../../contracts/errors.ts'
import { type ExitCode, exitCodes } from '../../contracts/exit-codes.ts'
import { withOptions } from '../scenario/command.ts'
import type { ScenarioDefinition } from '../scenario/definition.ts'
import { formatDuration, scenarioHelp } from '../scenario/options.ts'
import { shellWord } from '../scenario/shell-word.ts'
import { definitionOf, readExperiment } from './definition.ts'
import { loadOwn } from './own.ts'

interface Words {
  readonly file: string | null
  readonly faults: readonly string[]
  readonly checkers: readonly string[]
  readonly dryRun: boolean
  /** The common options. */
  readonly rest: readonly string[]
}

const ownHelp = [
  '',
  'Of experiments:',
  '  FILE                          The experiment, e.g. experiments/kill-one-pod.yaml',
  '  --fault FILE                  A fault of your own, which the experiment may name; again for more',
  '  --checker FILE                A checker of your own; again for more',
  '  --dry-run                     Say what would be done, and do nothing',
  '',
].join('\n')

export async function runExperimentCommand(
  file: string,
  definition: ScenarioDefinition,
  args: readonly string[],
): Promise<ExitCode> {
  const usage = `npx zx ${shellWord(relative(process.cwd(), file))}`
  const words = split(args)
  const help = (): string =>
    scenarioHelp(`${usage} FILE`, definition.summary, "the experiment's own") + ownHelp
  return withOptions(words.rest, { leastDurationMs: 2_000, takesFlow: false }, help, async (options) => {
    if (words.file === null) {
      throw new GauntletError('ERR_FLAG_VALUE', 'is missing', {
        field: 'FILE',
        fix: `name an experiment: ${usage} experiments/kill-one-pod.yaml`,
      })
    }
    const own = await loadOwn(words.faults, words.checkers)
    const experiment = readExperiment(words.file, own)
    if (words.dryRun) {
      process.stdout.write(plan(experiment))
      return exitCodes.pass
    }
    const { runSession } = await import('../scenario/session.ts')
    const loaded = {
      name: experiment.name,
      file,
      definition: definitionOf(experiment, own),
      words: [
        words.file,
        ...words.faults.flatMap((path) => ['--fault', path]),
        ...words.checkers.flatMap((path) => ['--checker', path]),
      ],
    }
    const { code } = await runSession({
      suite: experiment.name,
      scenarios: [loaded],
      options,
      durationOf: () => options.durationMs ?? experiment.durationMs,
      command: [usage, ...args.map(shellWord)].join(' '),
    })
    return code
  })
}

/** Options that take a value, so that it is not taken for the file. */
const withValue = new Set([
  'cluster',
  'duration',
  'seed',
  'out',
  'flow',
  'inputs',
  'expect',
  'components',
  'targets',
])

function split(args: readonly string[]): Words {
  const words = {
    file: null as string | null,
    faults: [] as string[],
    checkers: [] as string[],
    dryRun: false,
    rest: [] as string[],
  }
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    if ((word === '--fault' || word === '--checker') && args[i + 1] !== undefined) {
      const list = word === '--fault' ? words.faults : words.checkers
      list.push(args[++i]!)
    } else if (word === '--dry-run') words.dryRun = true
    else if (word.startsWith('--')) {
      words.rest.push(word)
      const value = args[i + 1]
      if (withValue.has(word.slice(2)) && value !== undefined) {
        words.rest.push(value)
        i++
      }
    } else if (word.startsWith('-') || words.file !== null) words.rest.push(word)
    else words.file = word
  }
  return words
}

/** What an experiment would do, in words. */
function plan({ name, description, loads, faults, durationMs }: Experiment): string {
  const lines = [
    `${name}: ${description}`,
    ...loads.map(
      (load) =>
        `  load ${load.name}: ${load.workload}, ${load.rateRps === undefined ? `${load.users} users` : `${load.rateRps} a second`}, ${formatDuration(durationMs)}`,
    ),
    ...faults.map(
      (fault) =>
        `  fault ${fault.name}: ${fault.fault} on ${fault.pods} of ${fault.role}, ${describeTrigger(fault.trigger)}, for ${formatDuration(fault.forMs)}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}
