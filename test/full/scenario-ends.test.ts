// Further ways in which scenarios end: a rejection that nobody awaits, a bad import, a terminal that is closed.

import { join } from 'node:path'
import t from 'tap'
import { resultsIn, run, start } from '../e2e/scenario-helpers.ts'

t.setTimeout(240_000)

t.test('a stray rejection and a bad import are exit code 4, with a report', async (t) => {
  for (const [file, text] of [
    ['rejects', 'planted rejection'],
    ['bad-import', 'is-not-there'],
  ] as const) {
    const { code, err, folder } = await run(t, `test/e2e/scenarios/${file}.mjs`)
    t.equal(code, 4, file)
    t.match(err, text)
    t.match(resultsIn(folder).scenarios[0]?.ended, { kind: 'error' })
  }
})

t.test('a terminal that is closed ends a scenario with a report, exit code 129', async (t) => {
  const folder = t.testdir({})
  const { child, ended, said } = start('test/e2e/scenarios/waits.mjs', ['--out', join(folder, 'out')])
  await said('under load')
  child.kill('SIGHUP')
  t.equal((await ended).code, 129)
  t.match(resultsIn(join(folder, 'out')).scenarios[0]?.ended, { kind: 'interrupted', message: 'SIGHUP' })
})
