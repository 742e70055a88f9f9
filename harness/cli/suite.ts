// The suite behind `npm run load`: every scenario on one boot of the system, into one report.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ExitCode } from '../../contracts/exit-codes.ts'
import { withOptions } from '../scenario/command.ts'
import type { LoadedScenario, ScenarioDefinition } from '../scenario/definition.ts'
import { scenarioHelp } from '../scenario/options.ts'
import { shellWord } from '../scenario/shell-word.ts'

const folder = join(import.meta.dirname, '../../scenarios')

/** In this order: the quick ones first, those that change the system's size last. */
const suite = ['smoke', 'affinity', 'throughput', 'overhead', 'kill-mid-sse', 'scale'] as const

export async function runSuiteCommand(args: readonly string[]): Promise<ExitCode> {
  const scenarios = await loadScenarios(suite.map((name) => join(folder, `${name}.mjs`)))
  const help = (): string =>
    scenarioHelp(
      'npm run load --',
      `Boots the whole system once and runs ${suite.join(', ')} on it. --duration is the load time of each.`,
      'each scenario its own, a minute in all',
    )
  const limits = {
    leastDurationMs: Math.max(...scenarios.map(({ definition }) => definition.leastDurationMs ?? 1_000)),
    takesFlow: scenarios.some(({ definition }) => definition.takesFlow === true),
  }
  return withOptions(args, limits, help, async (options) => {
    const { runSession } = await import('../scenario/session.ts')
    const { code } = await runSession({
      suite: 'load',
      scenarios,
      options,
      durationOf: ({ definition }) =>
        options.durationMs ?? definition.suiteDurationMs ?? definition.durationMs,
      command: ['npm run load', ...(args.length > 0 ? ['--', ...args.map(shellWord)] : [])].join(' '),
    })
    return code
  })
}

/** Imports scenario files without running them (see harness/start.mjs). */
export async function loadScenarios(files: readonly string[]): Promise<readonly LoadedScenario[]> {
  const collector = Symbol.for('stepflow-gauntlet.collect')
  const loaded: LoadedScenario[] = []
  Object.assign(globalThis, {
    [collector]: (file: string, definition: ScenarioDefinition) => {
      const name = file.slice(file.lastIndexOf('/') + 1).replace(/\.mjs$/, '')
      loaded.push({ name, file, definition })
    },
  })
  try {
    for (const file of files) await import(pathToFileURL(file).href)
  } finally {
    Reflect.deleteProperty(globalThis, collector)
  }
  return loaded
}
