// The search finds a planted defect that only a fault brings out, shrinks the schedule to that fault, and keeps it.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { checkers } from '../../chaos/checkers/index.ts'
import { parseExperiment } from '../../chaos/experiments/parse.ts'
import { faults } from '../../chaos/faults/index.ts'
import { exitCodes } from '../../contracts/exit-codes.ts'
import { searchChaos } from '../../harness/experiment/search.ts'
import { defectArgs, defects } from '../defects/index.ts'

t.setTimeout(600_000)

t.test('finds, shrinks and keeps a planted defect', async (t) => {
  const name = 'runtime-waits-for-lost-stream'
  const said: string[] = []
  const { code, found } = await searchChaos({
    ...{ seed: 1, first: 4, trials: 1, tries: 4, repeats: 1, out: t.testdir({}) },
    cluster: { nodeArgs: { [defects[name].role]: defectArgs(name) } },
    say: (line) => said.push(line),
  })
  t.equal(code, exitCodes.fail, said.join('\n'))
  const [kept] = found
  if (kept === undefined) return
  t.comment(said.join('\n'))
  const before = Number(/of (\d) faults/.exec(said.join('\n'))?.[1])
  t.ok(kept.experiment.faults.length < before, `${kept.experiment.faults.length} of ${before} faults`)
  t.ok(kept.experiment.faults.length > 0, 'without a fault it does not show')
  const text = readFileSync(kept.file, 'utf8')
  t.match(text, /Failed again \d of 1 times/)
  const back = parseExperiment(text, kept.file, { faults, checkers: Object.keys(checkers) })
  t.same(back.faults, kept.experiment.faults, 'the file replays')
})
