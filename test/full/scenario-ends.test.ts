// Further ways in which scenarios end: a rejection that nobody awaits, a bad import, a closed terminal, a reader or
// npx that is gone.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { alive, descendants, gone, interrupt, resultsIn, root, run, start } from '../e2e/scenario-helpers.ts'

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

t.test('a closed terminal and SIGTERM end with a report, exit codes 129 and 143', async (t) => {
  await interrupt(t, 'SIGHUP', 129)
  await interrupt(t, 'SIGTERM', 143)
})

t.test('a reader that leaves early takes neither verdict nor report along', async (t) => {
  const folder = t.testdir({})
  const { child, ended } = start('scenarios/smoke.mjs', ['--out', folder])
  child.stdout?.once('data', () => child.stdout?.destroy())
  t.equal((await ended).code, 0)
  t.equal(resultsIn(folder).verdict, 'PASS')
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
