// How scenarios end: interrupted, under an older Node, and killed; with a report where there can be one, and no trace.

import { spawnSync } from 'node:child_process'
import t from 'tap'
import { skipUnless } from '../skip.ts'
import { alive, descendants, gone, interrupt, resultsIn, start } from './scenario-helpers.ts'

t.setTimeout(240_000)

t.test('Ctrl-C ends with a report of what was measured, exit code 130', (t) => interrupt(t, 'SIGINT', 130))

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
