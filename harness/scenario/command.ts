// The command line of one scenario: options, help, and the session that runs it alone.

import { basename, relative } from 'node:path'
import { GauntletErrors } from '../../contracts/errors.ts'
import { type ExitCode, exitCodes } from '../../contracts/exit-codes.ts'
import type { LoadedScenario, ScenarioDefinition } from './definition.ts'
import {
  formatDuration,
  type OptionLimits,
  parseScenarioOptions,
  type ScenarioOptions,
  scenarioHelp,
} from './options.ts'
import { shellWord } from './shell-word.ts'

/** Shortest duration of a scenario that does not name one, ms. */
const leastDurationMs = 1_000

/** Runs the scenario in `file` as the command line `args` asks. */
export async function runScenarioCommand(
  file: string,
  definition: ScenarioDefinition,
  args: readonly string[],
): Promise<ExitCode> {
  if (definition.takesExperiment === true) {
    const { runExperimentCommand } = await import('../experiment/command.ts')
    return runExperimentCommand(file, definition, args)
  }
  const scenario: LoadedScenario = { name: basename(file, '.mjs'), file, definition }
  const usage = `npx zx ${shellWord(relative(process.cwd(), file))}`
  const help = (): string => scenarioHelp(usage, definition.summary, formatDuration(definition.durationMs))
  return withOptions(
    args,
    {
      leastDurationMs: definition.leastDurationMs ?? leastDurationMs,
      ...(definition.mostDurationMs === undefined ? {} : { mostDurationMs: definition.mostDurationMs }),
      takesFlow: definition.takesFlow === true,
      ...(definition.clusters === undefined ? {} : { clusters: definition.clusters }),
    },
    help,
    async (options) => {
      // Imported when needed: help and wrong usage are answered at once.
      const { runSession } = await import('./session.ts')
      const { code } = await runSession({
        suite: scenario.name,
        scenarios: [scenario],
        options,
        durationOf: () => options.durationMs ?? definition.durationMs,
        command: [usage, ...args.map(shellWord)].join(' '),
      })
      return code
    },
  )
}

/** Parses options, prints help or what is wrong with them, or runs; wrong usage is exit code 2. */
export async function withOptions(
  args: readonly string[],
  limits: OptionLimits,
  help: () => string,
  run: (options: ScenarioOptions) => Promise<ExitCode>,
): Promise<ExitCode> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe)
  try {
    const options = parseScenarioOptions(args, limits)
    if (options === 'help') {
      process.stdout.write(help())
      return exitCodes.pass
    }
    return await run(options)
  } catch (error) {
    if (!(error instanceof Error && 'fix' in error)) throw error
    const problems = error instanceof GauntletErrors ? error.problems : [error]
    for (const problem of problems) process.stderr.write(`error: ${problem.message}\n`)
    return exitCodes.usage
  }
}

/** Whoever reads the output may stop before the end, as `| head -1` does: the report is still written. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
