// Further ways in which scenarios end: a rejection that nobody awaits, a bad import, a closed terminal, npx gone.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { alive, descendants, gone, resultsIn, root, run, start } from '../e2e/scenario-helpers.ts'

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

t.test('npm and npx that are killed take what they run along, which still leaves its report', async (t) => {
  const waits = ['zx', 'test/e2e/scenarios/waits.mjs']
  const load = ['run', 'load', '--']
  for (const [command, args, signal] of [
    ['npx', waits, 'SIGTERM'],
    ['npx', waits, 'SIGKILL'],
    ['npm', load, 'SIGTERM'],
    ['npm', load, 'SIGKILL'],
  ] as const) {
    const name = `${command}-${signal}`
    const folder = join(t.testdir({ [name]: {} }), name)
    const starter = spawn(command, [...args, '--out', folder], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    starter.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    while (!out.includes('the system is ready')) await once(starter.stdout, 'data')
    const family = descendants(starter.pid ?? 0)
    t.ok(family.length >= 8, `${family.length} processes: the scenario, agent and six pods at least`)
    starter.kill(signal)
    await gone(family)
    t.same(family.filter(alive), [], `no process is left (${name})`)
    t.match(resultsIn(folder).scenarios.at(-1)?.ended, { kind: 'interrupted', message: 'SIGTERM' })
  }
})
