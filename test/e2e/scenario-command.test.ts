// Scenarios as a user runs them: exit codes, reports and wrong usage.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Results } from '../../contracts/results.ts'
import { resultsIn, root, run, start } from './scenario-helpers.ts'

t.setTimeout(240_000)

t.test('smoke passes with exit code 0, every report file, and a link to the last', async (t) => {
  const { code, out, folder } = await run(t, 'scenarios/smoke.mjs', '--seed', '7')
  t.equal(code, 0, out)
  t.match(readdirSync(join(folder, 'latest')).sort(), [
    'index.html',
    'junit.xml',
    'results.json',
    'summary.md',
  ])
  t.match(out, /PASS {2}smoke/)
  const results = resultsIn(folder)
  t.match(results, { verdict: 'PASS', seed: 7, suite: 'smoke' })
  t.ok((results.scenarios[0]?.judgements.length ?? 0) >= 8)
  t.ok((results.scenarios[0]?.loads.length ?? 0) >= 4, 'one load for each kind of run')
})

t.test(
  "a user's own flow of a user's own components is judged by its expected results: a wrong one is FAIL, exit code 1",
  async (t) => {
    const files = t.testdir({
      'components.ts': `
      import { component, Type } from '${join(root, 'system/component-server/sdk.ts')}'
      const input = Type.Object({ a: Type.Number(), b: Type.Number() })
      export const plus = component({
        name: 'plus', input, output: Type.Object({ result: Type.Number() }), run: ({ a, b }) => ({ result: a + b }),
      })`,
      'flow.yaml':
        'steps:\n  - { id: a, component: /python/plus, input: { a: { $input: x }, b: 1 } }\noutput: { $step: a, path: result }\n',
      'inputs.json': '[{ "x": 1 }, { "x": 2 }]',
      'expect.json': '[2, 4]',
      out: {},
    })
    const args = [
      '--flow',
      'flow.yaml',
      '--inputs',
      'inputs.json',
      '--expect',
      'expect.json',
      '--components',
      'components.ts',
    ]
    const paths = args.map((word) => (word.startsWith('--') ? word : join(files, word)))
    const { code, out } = await start('scenarios/smoke.mjs', [...paths, '--out', join(files, 'out')]).ended
    t.equal(code, 1, out)
    t.match(out, /correct-values/)
    t.match(out, /replay: npx zx scenarios\/smoke\.mjs --seed \d+ --duration 1s --flow /)
    await writeFile(join(files, 'expect.json'), '[2, 3]')
    const right = await start('scenarios/smoke.mjs', [...paths, '--json', '--out', join(files, 'out')]).ended
    t.equal(right.code, 0, right.err)
    t.equal((JSON.parse(right.out) as Results).verdict, 'PASS', '--json prints the results and nothing else')
  },
)

t.test('wrong usage is exit code 2, with every problem named, and nothing is measured', async (t) => {
  const { code, err } = await run(t, 'scenarios/affinity.mjs', '--duration', '1', '--seed', 'x', '--bogus')
  t.equal(code, 2)
  t.match(err, /--duration: got 1, use a number with ms, s, m or h.*\(ERR_FLAG_VALUE\)/)
  t.match(err, /--seed: got x/)
  t.match(err, /--bogus: is not an option.*\(ERR_FLAG_UNKNOWN\)/)
  const missing = await run(t, 'scenarios/smoke.mjs', '--targets', 'no-such-file.yaml')
  t.equal(missing.code, 2)
  t.match(missing.err, /no-such-file\.yaml/)
  t.notMatch(missing.out, /the system is ready/)
  const nowhere = await start('scenarios/smoke.mjs', ['--out', join(t.testdir({ file: '' }), 'file/below')])
    .ended
  t.equal(nowhere.code, 2)
  t.match(nowhere.err, /--out: cannot be written to.*\(ERR_ENVIRONMENT\)/)
  t.equal(nowhere.out, '', 'before anything is measured')
  const lacking = await run(t, 'scenarios/smoke.mjs', '--components', 'no-such-file.ts')
  t.equal(lacking.code, 2, lacking.out)
  t.match(lacking.err, /^error: --components no-such-file\.ts: .*cannot be imported.*\(ERR_COMPONENT\)$/m)
})

t.test('--help explains every option and exit code', async (t) => {
  for (const name of readdirSync(join(root, 'scenarios')).filter((file) => file.endsWith('.mjs'))) {
    const { code, out } = await start(`scenarios/${name}`, ['--help']).ended
    t.equal(code, 0, name)
    for (const option of [
      'cluster',
      'duration',
      'seed',
      'out',
      'json',
      'flow',
      'inputs',
      'expect',
      'targets',
      'components',
    ]) {
      t.match(out, `--${option}`, `${name} --${option}`)
    }
    t.match(out, /INVALID: the measurement cannot be trusted/)
  }
})

t.test('what proves nothing is INVALID, exit code 3', async (t) => {
  const { code } = await run(t, 'test/e2e/scenarios/proves-nothing.mjs')
  t.equal(code, 3)
})

t.test(
  'a suite that breaks off is no PASS: what could not begin and what was not run are said',
  async (t) => {
    const folder = t.testdir({})
    const { status, stderr } = spawnSync(process.execPath, ['test/e2e/programs/broken-suite.ts', folder], {
      cwd: root,
      encoding: 'utf8',
    })
    t.equal(status, 4, stderr)
    const results = resultsIn(folder)
    t.equal(results.verdict, 'INVALID')
    const [first, tooMany, throws, last] = results.scenarios
    t.equal(first?.verdict, 'PASS')
    t.match(tooMany?.judgements[0], { name: 'cluster', outcome: 'unknown' })
    t.match(throws?.ended, { kind: 'error' })
    t.match(last, { scenario: 'last', verdict: 'INVALID', ended: { message: /^not run: throws: / } })
    t.match(
      results.judgements?.filter(({ outcome }) => outcome !== 'pass'),
      [{ name: 'ran-to-its-end', outcome: 'unknown' }],
    )
    t.equal(resultsIn(folder).verdict, 'INVALID')
  },
)

t.test('a harness that breaks is exit code 4, with a report where the system ran', async (t) => {
  for (const [file, text] of [['throws', 'planted throw']] as const) {
    const { code, err, folder } = await run(t, `test/e2e/scenarios/${file}.mjs`)
    t.equal(code, 4, file)
    t.match(err, text)
    t.match(resultsIn(folder).scenarios[0]?.ended, { kind: 'error' })
  }
  const early = await run(t, 'test/e2e/scenarios/throws-early.mjs')
  t.equal(early.code, 4)
})
