// The example experiments, each as a user runs it: what it claims holds.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root, run } from '../e2e/scenario-helpers.ts'

t.setTimeout(900_000)

const own = ['--fault', 'experiments/own/log-flood.ts', '--checker', 'experiments/own/no-slow-run.ts']
const cases = [
  ...readdirSync(join(root, 'experiments'))
    .filter((entry) => entry.endsWith('.yaml'))
    .map((entry) => ({ file: `experiments/${entry}`, more: [] as string[] })),
  { file: 'experiments/own/flood.yaml', more: own },
]

for (const { file, more } of cases) {
  t.test(file, async (t) => {
    let ended = await run(t, 'scenarios/experiment.mjs', file, ...more)
    // INVALID: the machine, not the system, stood in the way.
    for (let again = 0; ended.code === 3 && again < 2; again++) {
      ended = await run(t, 'scenarios/experiment.mjs', file, ...more)
    }
    t.equal(ended.code, 0, `${ended.out}${ended.err}`)
  })
}
