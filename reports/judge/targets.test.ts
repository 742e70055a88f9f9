// Tests of the targets file: defaults, a user's changes, and every mistake named at once.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { GauntletError } from '../../contracts/errors.ts'
import { targets } from '../../scenarios/targets.ts'
import { loadTargets, notMeasuredOf, overrideTargets, parseTargets, targetNamed } from './targets.ts'

/** The messages of what `act` throws, one a problem. */
async function problemsOf(act: () => unknown): Promise<readonly string[]> {
  try {
    await act()
  } catch (error) {
    if (error instanceof GauntletError) return error.message.split('\n')
    throw error
  }
  return []
}

t.test('the default targets are valid and name what the architecture document promises', async (t) => {
  const loaded = await loadTargets(targets)
  t.match(targetNamed(loaded, 'pod-rate'), { target: 95, comparison: 'at least', unit: 'req/s' })
  t.match(targetNamed(loaded, 'concurrent-runs'), { target: 50 })
  t.match(targetNamed(loaded, 'balancer-rate'), { target: 10_000 })
  t.match(targetNamed(loaded, 'overhead-p95'), { target: 10, comparison: 'at most' })
  t.match(targetNamed(loaded, 'callback-p95'), { target: 5 })
  t.match(targetNamed(loaded, 'streams-at-kill'), { target: 20, ifMissed: 'INVALID' })
})

t.test("a user's file changes single targets and leaves the rest", async (t) => {
  const file = join(t.testdir(), 'targets.yml')
  await writeFile(file, 'pod-rate: { target: 40 }\nfail-fast:\n  target: 9.5\n  claim: slow is fine here\n')
  const loaded = await loadTargets(targets, file)
  t.equal(loaded['pod-rate']?.target, 40)
  t.equal(loaded['pod-rate']?.unit, 'req/s')
  t.match(loaded['fail-fast'], { target: 9.5, claim: 'slow is fine here' })
  t.strictSame(loaded['callback-p50'], targets['callback-p50'])
})

t.test('JSON and an empty file are read too', async (t) => {
  const folder = t.testdir({ 'a.json': '{"pod-rate":{"target":1}}', 'b.yml': '# nothing yet\n' })
  t.equal((await loadTargets(targets, join(folder, 'a.json')))['pod-rate']?.target, 1)
  t.strictSame(await loadTargets(targets, join(folder, 'b.yml')), targets)
})

t.test('names every problem of a file at once, with field, value and fix', async (t) => {
  const problems = await problemsOf(() =>
    overrideTargets(
      targets,
      {
        'pod-rat': { target: 1 },
        'pod-rate': { target: '40', colour: 'red' },
        'scale-rate': { target: -1 },
        'fail-fast': { unit: 'ms', scenario: 'smoke' },
        'callback-p50': 3,
      },
      'my.yml',
    ),
  )
  t.match(problems, [
    /^my\.yml: pod-rat: is no target, use one of pod-rate, .*\(ERR_TARGET\)$/,
    /^my\.yml: pod-rate\.colour: is unknown here, remove it/,
    /^my\.yml: pod-rate\.target: got "40", use a number of at least 0/,
    /^my\.yml: scale-rate\.target: got -1, use a number of at least 0/,
    /^my\.yml: fail-fast\.unit: got "ms", leave it at s/,
    /^my\.yml: fail-fast\.scenario: got "smoke", leave it at kill-mid-sse/,
    /^my\.yml: callback-p50: got 3, write its fields/,
  ])
  t.equal(problems.length, 7)
})

t.test('takes a whole copied target with one figure changed', async (t) => {
  const changed = overrideTargets(targets, { 'scale-rate': { ...targets['scale-rate'], target: 0.9 } })
  t.equal(changed['scale-rate']?.target, 0.9)
})

t.test('refuses what is no set of targets', async (t) => {
  t.match(await problemsOf(() => overrideTargets(targets, [1])), [/^targets: got \[1\]/])
  t.match(await problemsOf(() => parseTargets({ 'Bad Name': targets['scale-rate'] })), [/Bad Name/])
  t.match(
    await problemsOf(() => parseTargets({ 'scale-rate': { ...targets['scale-rate'], unit: 'furlong' } })),
    [/scale-rate\.unit: got "furlong", use req\/s or ms/],
  )
  const { claim: _, ...nameless } = targets['scale-rate']
  t.match(await problemsOf(() => parseTargets({ 'scale-rate': nameless })), [/scale-rate\.claim: is missing/])
})

t.test('no name of Object is a target', async (t) => {
  t.match(
    await problemsOf(() =>
      overrideTargets(targets, JSON.parse('{"__proto__":{"target":1},"toString":{"target":1}}')),
    ),
    [/__proto__: is no target/, /toString: is no target/],
  )
  t.match(await problemsOf(() => targetNamed(targets, 'constructor')), [/constructor: is no target/])
})

t.test('a file that is missing, no YAML, written twice or full of aliases is refused by name', async (t) => {
  const folder = t.testdir({
    'bad.yml': 'pod-rate: { target: 40\nscale-rate: [',
    'twice.yml': 'scale-rate: { target: 1 }\nscale-rate: { target: 2 }\n',
    'alias.yml': 'scale-rate: &a { target: 1 }\npod-rate: *a\n',
  })
  const load = (name: string) => problemsOf(() => loadTargets(targets, join(folder, name)))
  t.match(await load('none.yml'), [/none\.yml: cannot be read, .*\(ERR_CONFIG_READ\)/])
  t.match((await load('bad.yml'))[0], /bad\.yml: .*\(ERR_CONFIG_SYNTAX\)/)
  t.match((await load('twice.yml'))[0], /twice\.yml: .*unique.*\(ERR_CONFIG_SYNTAX\)/)
  t.match((await load('alias.yml'))[0], /alias\.yml: uses an alias/)
})

t.test('lists the targets that no scenario measured', async (t) => {
  const judged = { judgements: [{ kind: 'threshold', name: 'scale-rate' }] } as never
  const names = notMeasuredOf(targets, [judged]).map(({ name }) => name)
  t.notOk(names.includes('scale-rate'))
  t.equal(names.length, Object.keys(targets).length - 1)
  const suite = [{ kind: 'threshold', name: 'fail-fast' }] as never
  t.notOk(notMeasuredOf(targets, [judged], suite).some(({ name }) => name === 'fail-fast'))
})
