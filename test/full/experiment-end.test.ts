// How experiments end: a fault is undone on Ctrl-C, by a stop condition, and told from one that did not land.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { descendants, gone, resultsIn, start } from '../e2e/scenario-helpers.ts'
import { skipUnless } from '../skip.ts'

t.setTimeout(240_000)

const experiment = (faults: string, stop = '[]'): string => `name: sample
description: A sample
duration: 5s
load:
  - { workload: double, rateRps: 20 }
faults:
${faults}
stop: ${stop}
`

t.test('a fault in place is undone on Ctrl-C, and seen to be', async (t) => {
  const folder = t.testdir({ 'x.yaml': experiment('  - { fault: pod-frozen, at: 500ms, for: 5m }') })
  const { child, ended, said } = start('scenarios/experiment.mjs', [join(folder, 'x.yaml'), '--out', folder])
  await said('does not answer')
  child.kill('SIGINT')
  const { code, out } = await ended
  t.equal(code, 130, out)
  const events = resultsIn(folder).scenarios[0]?.events.filter((event) => event.kind === 'chaos')
  t.same(
    events?.map(({ phase }) => phase),
    ['requested', 'observed', 'cleared'],
  )
})

/** Places where the faults of this project have mounted something. */
const mounts = (): readonly string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('stepflow-gauntlet '))

const noRoot = process.getuid?.() === 0 ? null : 'a mount needs root'
t.test(
  'what a harness killed by SIGKILL left is undone by the next experiment, first of all',
  { skip: skipUnless('root', noRoot) },
  async (t) => {
    const before = mounts()
    const folder = t.testdir({
      'x.yaml': experiment('  - { fault: disk-full, at: 500ms, for: 5m }'),
      'y.yaml': experiment('  - { fault: pod-frozen, at: 500ms, for: 300ms }'),
    })
    const { child, ended, said } = start('scenarios/experiment.mjs', [
      join(folder, 'x.yaml'),
      ...['--out', folder],
    ])
    await said('writing there gives ENOSPC')
    const all = descendants(child.pid ?? 0)
    for (const pid of [...all, child.pid ?? 0]) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It went with its parent.
      }
    }
    await ended
    await gone(all)
    t.equal(mounts().length, before.length + 1, 'the full disk is still there')
    const next = await start('scenarios/experiment.mjs', [join(folder, 'y.yaml'), '--out', folder]).ended
    t.match(next.out, /healed mount \/.*tmp/)
    t.same(mounts(), before)
  },
)

t.test('a stop condition undoes the fault at once, and the trial is INVALID', async (t) => {
  const folder = t.testdir({})
  writeFileSync(
    join(folder, 'x.yaml'),
    experiment(
      '  - { fault: pod-frozen, at: 500ms, for: 5m, on: { role: runtime } }',
      '[{ metric: open-runs, atMost: 30 }]',
    ),
  )
  const { code, out } = await start('scenarios/experiment.mjs', [join(folder, 'x.yaml'), '--out', folder])
    .ended
  t.not(code, 0, out)
  const [scenario] = resultsIn(folder).scenarios
  t.match(
    scenario?.judgements.find(({ name }) => name === 'stop-condition'),
    { outcome: 'unknown', reason: /open-runs at most 30/ },
  )
  t.ok(scenario?.events.some((event) => event.kind === 'chaos' && event.phase === 'cleared'))
})

t.test('a fault that cannot land makes the trial INVALID; a wrong file is wrong usage', async (t) => {
  const folder = t.testdir({
    // It says so at once: no pod has this step.
    'x.yaml': experiment(
      '  - { fault: stream-reset, at: 500ms, for: 500ms, with: { event: 9, step: none } }',
    ),
    'wrong.yaml': 'name: x\nfault: 1\n',
  })
  const invalid = await start('scenarios/experiment.mjs', [join(folder, 'x.yaml'), '--out', folder]).ended
  t.equal(invalid.code, 3, invalid.out)
  t.match(invalid.out, /INVALID {2}sample · fault stream-reset: stream-reset took no effect/)
  const wrong = await start('scenarios/experiment.mjs', [join(folder, 'wrong.yaml')]).ended
  t.equal(wrong.code, 2)
  t.match(wrong.err, /wrong\.yaml:2 fault: is not known, use name, description/)
  t.match((await start('scenarios/experiment.mjs', []).ended).err, /FILE: is missing/)
})
