// A suite whose second scenario cannot begin and whose third throws; the folder of its report is the argument.

import { join } from 'node:path'
import type { LoadedScenario, ScenarioDefinition } from '../../../harness/scenario/definition.ts'
import { parseScenarioOptions } from '../../../harness/scenario/options.ts'
import { runSession } from '../../../harness/scenario/session.ts'

const options = parseScenarioOptions(['--out', process.argv[2] ?? ''], {
  leastDurationMs: 1,
  takesFlow: false,
})
if (options === 'help') throw new Error('no help was asked for')

const scenario = (name: string, definition: Partial<ScenarioDefinition>): LoadedScenario => ({
  name,
  file: join(import.meta.dirname, '../../../scenarios/smoke.mjs'),
  definition: { summary: name, durationMs: 1_000, run: async () => {}, ...definition },
})

const { code } = await runSession({
  suite: 'broken',
  scenarios: [
    scenario('first', {
      run: async (trial) =>
        trial.judge({
          ...{ kind: 'checker', name: 'planted', claim: 'planted', outcome: 'pass', reason: '', examined: 1 },
        }),
    }),
    scenario('too-many', { replicas: { 'component-server': 100_000 } }),
    scenario('throws', {
      run: async () => {
        throw new Error('planted throw')
      },
    }),
    scenario('last', {}),
  ],
  ...{ options, durationOf: () => 1_000, command: 'broken' },
})
process.exit(code)
