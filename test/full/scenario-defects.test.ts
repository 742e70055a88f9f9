// Every planted defect is caught by the scenario and the checker it is meant for: a verdict that cannot fail is none.
//
// DEFECTS=name,name runs only those.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { exitCodes } from '../../contracts/exit-codes.ts'
import { loadScenarios } from '../../harness/cli/suite.ts'
import { runSession } from '../../harness/scenario/session.ts'
import { type DefectName, defectArgs, defects } from '../defects/index.ts'

t.setTimeout(1_200_000)
const folder = join(import.meta.dirname, '../../scenarios')
const out = await mkdtemp(join(tmpdir(), 'stepflow-gauntlet-defects-'))
t.teardown(() => rm(out, { recursive: true, force: true }))

const chosen = (process.env['DEFECTS'] ?? '').split(',').filter((name) => name !== '')
const names = (Object.keys(defects) as DefectName[]).filter(
  (name) => (chosen.length === 0 && !('blind' in defects[name])) || chosen.includes(name),
)

const used = new Set(names.map((name) => defects[name].scenario))
const scenarios = await loadScenarios([...used].map((name) => join(folder, `${name}.mjs`)))

for (const name of names) {
  const { role, checker, scenario, what } = defects[name]
  t.test(`${checker} catches ${name} in ${scenario}: ${what}`, async (t) => {
    const loaded = scenarios.find((candidate) => candidate.name === scenario)
    if (loaded === undefined) throw new Error(`no scenario ${scenario}`)
    const { definition } = loaded
    const { code, results } = await runSession({
      suite: scenario,
      scenarios: [loaded],
      options: {
        cluster: 'local',
        durationMs: null,
        seed: 1,
        out,
        json: false,
        flow: null,
        inputs: null,
        expect: null,
        targets: null,
        components: null,
      },
      durationOf: () => definition.suiteDurationMs ?? definition.durationMs,
      command: `test of ${name}`,
      cluster: { nodeArgs: { [role]: defectArgs(name) } },
    })
    const judgements = results.scenarios.flatMap((result) => result.judgements)
    const caught = judgements.filter(({ kind, outcome }) => kind === 'checker' && outcome === 'fail')
    t.equal(
      code,
      exitCodes.fail,
      `exit code of ${JSON.stringify(results.scenarios.map(({ ended }) => ended))}`,
    )
    t.ok(
      caught.some((judgement) => judgement.name === checker || judgement.name.startsWith(`${checker} (`)),
      `caught by ${caught.map((judgement) => judgement.name).join(', ') || 'nobody'}`,
    )
  })
}
