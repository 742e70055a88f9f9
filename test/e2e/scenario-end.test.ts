// How scenarios end: interrupted, under an older Node, and killed; with a report where there can be one, and no trace.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { skipUnless } from '../skip.ts'
import { alive, descendants, gone, resultsIn, start } from './scenario-helpers.ts'

t.setTimeout(240_000)

t.test('an interruption ends with a report of what was measured, exit codes 130 and 143', async (t) => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const folder = t.testdir({ [signal]: {} })
    const { child, ended, said } = start('test/e2e/scenarios/waits.mjs', ['--out', join(folder, signal)])
    await said('under load')
    child.kill(signal)
    const { code: found, out } = await ended
    t.equal(found, code, out)
    const [scenario] = resultsIn(join(folder, signal)).scenarios
    t.match(scenario?.ended, { kind: 'interrupted', message: signal })
    t.ok((scenario?.loads[0]?.load.completed ?? 0) > 0, 'the load until then is in the report')
    const failed = scenario?.judgements.filter(({ outcome }) => outcome === 'fail')
    t.same(failed, [], 'being interrupted is no defect')
  }
})

const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return /^v(1[89]|2[0-3])\./.test(stdout ?? '')
})

t.test(
  'under an older Node a scenario runs itself again under Node 24, and dies with it',
  { skip: skipUnless('old-node', oldNode === undefined ? 'no Node older than 24 on this machine' : null) },
  async (t) => {
    const folder = t.testdir({})
    const { code, out } = await start('scenarios/smoke.mjs', ['--out', folder], oldNode).ended
    t.equal(code, 0, out)
    t.match(resultsIn(folder).environment.node, /^v24\./)

    const { child, said } = start('test/e2e/scenarios/waits.mjs', ['--out', folder], oldNode)
    await said('the system is ready')
    const family = descendants(child.pid ?? 0)
    t.ok(family.length >= 8, `${family.length} processes: launcher, agent and six pods at least`)
    child.kill('SIGKILL')
    await gone(family)
    t.same(family.filter(alive), [], 'no process is left')
  },
)
