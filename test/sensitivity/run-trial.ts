// One trial as a process of its own: a session with its own seed and, where asked, a planted defect. Its outcome goes
// to a file. A process each, so that a defect of the harness cannot outlive its trial.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faults } from '../../chaos/faults/index.ts'
import { loadScenarios } from '../../harness/cli/suite.ts'
import { definitionOf, readExperiment } from '../../harness/experiment/definition.ts'
import type { LoadedScenario } from '../../harness/scenario/definition.ts'
import { runSession } from '../../harness/scenario/session.ts'
import { judgementsOf, outcomeOf } from '../../reports/judge/verdict.ts'
import { type Defect, type DefectName, defects, nodeArgsOf } from '../defects/index.ts'
import type { TrialEntry } from './ledger.ts'

/** What a trial is told, as JSON in its only argument. */
export interface TrialRequest {
  readonly scenarios: readonly string[]
  readonly seed: number
  readonly durationMs: number | null
  /** A defect of one of the system's programs; the harness's own is planted by whoever starts this. */
  readonly defect: DefectName | null
  readonly out: string
  readonly resultFile: string
}

export type TrialOutcome = Pick<
  TrialEntry,
  'verdict' | 'code' | 'failed' | 'unknown' | 'seconds' | 'othersShare'
>

if (import.meta.main) {
  // Whoever started this is gone: the trial has nobody to tell.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel?.unref()
  const request = JSON.parse(process.argv[2] ?? '{}') as TrialRequest
  const startedAt = performance.now()
  const scenarios = (await Promise.all(request.scenarios.map(loadScenario))).flat()
  const planted = systemDefect(request.defect)
  const { code, results, untrue, othersShare } = await runSession({
    suite: scenarios.length === 1 ? (scenarios[0]?.name ?? 'trial') : 'trial',
    scenarios,
    options: {
      ...{
        cluster: 'local',
        durationMs: request.durationMs,
        seed: request.seed,
        out: request.out,
        json: false,
      },
      ...{ flow: null, inputs: null, expect: null, targets: null, components: null },
    },
    durationOf: ({ definition }) => request.durationMs ?? definition.suiteDurationMs ?? definition.durationMs,
    command: `trial of ${request.defect ?? 'nothing'}`,
    ...(planted === null ? {} : { cluster: { nodeArgs: nodeArgsOf(planted) } }),
  })
  const judged = judgementsOf(results)
  const of = (wanted: 'fail' | 'unknown'): TrialEntry['failed'] =>
    judged
      .filter(({ judgement }) => outcomeOf(judgement) === wanted)
      .map(({ scenario = 'suite', judgement: { name, reason } }) => ({ scenario, name, reason }))
  const outcome: TrialOutcome = {
    verdict: results.verdict,
    code,
    failed: [
      ...of('fail'),
      ...(untrue === null ? [] : [{ scenario: 'suite', name: 'report-true', reason: untrue }]),
    ],
    unknown: of('unknown'),
    seconds: (performance.now() - startedAt) / 1000,
    othersShare,
  }
  writeFileSync(request.resultFile, JSON.stringify(outcome))
  process.exit(code)
}

/** A scenario by its name, or an experiment of test/defects/experiments by its file's. */
async function loadScenario(name: string): Promise<readonly LoadedScenario[]> {
  const file = join(import.meta.dirname, '../../scenarios', name)
  if (!name.endsWith('.yaml')) return loadScenarios([`${file}.mjs`])
  const own = { faults, checkers: {} }
  const experiment = readExperiment(join(import.meta.dirname, '../defects/experiments', name), own)
  return [
    {
      ...{ name: experiment.name, file: join(import.meta.dirname, '../../scenarios/experiment.mjs') },
      definition: definitionOf(experiment, own),
    },
  ]
}

/** The defect of the system that a trial needs: its own, or the one that a defect of the harness is to hide. */
function systemDefect(name: DefectName | null): DefectName | null {
  if (name === null) return null
  const { role, beside }: Defect = defects[name]
  return role === 'harness' ? ((beside as DefectName | undefined) ?? null) : name
}
