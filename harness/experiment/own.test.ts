// Tests of a user's own faults and checkers: they are found by their files, and told what they lack.

import { join } from 'node:path'
import t from 'tap'
import { runChecker } from '../../chaos/checkers/index.ts'
import type { History } from '../../contracts/history.ts'
import { readExperiment } from './definition.ts'
import { loadOwn } from './own.ts'

const folder = join(import.meta.dirname, '../../experiments/own')

t.test('an experiment may name a fault and a checker of its own, from files of 30 lines', async (t) => {
  const own = await loadOwn([join(folder, 'log-flood.ts')], [join(folder, 'no-slow-run.ts')])
  const experiment = readExperiment(join(folder, 'flood.yaml'), own)
  t.match(experiment.faults, [{ fault: 'log-flood', settings: { clients: 2 } }])
  t.match(experiment.checkers, ['no-run-failed', 'no-slow-run'])
  const checker = own.checkers['no-slow-run']!
  const common = { witness: 'runtime', pod: 'r', runId: 'a', inFlight: 0 } as const
  const history = (endedAt: number): History => [
    { ...common, kind: 'run.accepted', at: 0, flowId: 'f' },
    { ...common, kind: 'run.ended', at: endedAt, status: 'completed' },
  ]
  t.equal(runChecker(checker, history(1e6)).outcome, 'pass')
  t.match(runChecker(checker, history(4e6)), { outcome: 'fail', examples: ['run a: 4.0 s'] })
})

t.test('without the files, the experiment says what it does not know', async (t) => {
  const own = await loadOwn([], [])
  t.throws(
    () => readExperiment(join(folder, 'flood.yaml'), own),
    /flood\.yaml:\d+ faults\[0\]\.fault: got "log-flood"/,
  )
  t.throws(() => readExperiment(join(folder, 'none.yaml'), own), { code: 'ERR_CONFIG_READ' })
})

t.test('a file that is no fault is refused with what it lacks', async (t) => {
  const files = t.testdir({
    'empty.ts': 'export const x = 1\n',
    'half.ts': "export const fault = { name: 'half' }\n",
    'taken.ts': "export const checker = { name: 'once', claim: 'x', check() {} }\n",
    'broken.ts': 'throw new Error("no")\n',
  })
  const file = (name: string): string => join(files, name)
  await t.rejects(loadOwn([file('empty.ts')], []), /--fault .*empty\.ts: exports no fault/)
  await t.rejects(loadOwn([file('half.ts')], []), /its fault lacks supports, on, settings, victim/)
  await t.rejects(loadOwn([], [file('taken.ts')]), /there is a once already/)
  await t.rejects(loadOwn([file('broken.ts')], []), { code: 'ERR_CONFIG_READ' })
})
