// Scenarios as a user runs them: exit codes, reports, wrong usage, interruption, an older Node, and what stays behind.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Results } from '../../contracts/results.ts'
import { skipUnless } from '../skip.ts'

const root = join(import.meta.dirname, '../..')
const zx = join(root, 'node_modules/zx/build/cli.js')
t.setTimeout(240_000)

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Starts `zx FILE ARGS`; `ended` resolves with its exit code and what it printed. */
function start(
  file: string,
  args: readonly string[],
  node = process.execPath,
): { child: ChildProcess; ended: Promise<Ended>; said: (text: string) => Promise<void> } {
  const child = spawn(node, [zx, file, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, out, err })))
  const said = async (text: string): Promise<void> => {
    while (!out.includes(text)) {
      if (child.exitCode !== null) throw new Error(`ended without saying ${text}: ${out}${err}`)
      await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended])
    }
  }
  return { child, ended, said }
}

async function run(
  t: Test,
  file: string,
  ...args: readonly string[]
): Promise<Ended & { out: string; folder: string }> {
  const folder = t.testdir({})
  const ended = await start(file, [...args, '--out', folder]).ended
  return { ...ended, folder }
}

function resultsIn(folder: string): Results {
  return JSON.parse(readFileSync(join(folder, 'latest/results.json'), 'utf8')) as Results
}

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
  t.equal(results.scenarios[0]?.loads.length, 4)
})

t.test("a user's own flow is judged by its expected results: a wrong one is FAIL, exit code 1", async (t) => {
  const files = t.testdir({
    'flow.yaml':
      'steps:\n  - { id: a, component: /python/add, input: { a: { $input: x }, b: 1 } }\noutput: { $step: a, path: result }\n',
    'inputs.json': '[{ "x": 1 }, { "x": 2 }]',
    'expect.json': '[2, 4]',
    out: {},
  })
  const args = ['--flow', 'flow.yaml', '--inputs', 'inputs.json', '--expect', 'expect.json']
  const paths = args.map((word) => (word.startsWith('--') ? word : join(files, word)))
  const { code, out } = await start('scenarios/smoke.mjs', [...paths, '--out', join(files, 'out')]).ended
  t.equal(code, 1, out)
  t.match(out, /correct-values/)
  t.match(out, /replay: npx zx scenarios\/smoke\.mjs --seed \d+ --duration 1s --flow /)
  await writeFile(join(files, 'expect.json'), '[2, 3]')
  const right = await start('scenarios/smoke.mjs', [...paths, '--json', '--out', join(files, 'out')]).ended
  t.equal(right.code, 0, right.err)
  t.equal((JSON.parse(right.out) as Results).verdict, 'PASS', '--json prints the results and nothing else')
})

t.test('wrong usage is exit code 2, with every problem named, and nothing is started', async (t) => {
  const { code, err } = await run(t, 'scenarios/affinity.mjs', '--duration', '1', '--seed', 'x', '--bogus')
  t.equal(code, 2)
  t.match(err, /--duration: got 1, use a number with ms, s, m or h.*\(ERR_FLAG_VALUE\)/)
  t.match(err, /--seed: got x/)
  t.match(err, /--bogus: is not an option.*\(ERR_FLAG_UNKNOWN\)/)
  const missing = await run(t, 'scenarios/smoke.mjs', '--targets', 'no-such-file.yaml')
  t.equal(missing.code, 2)
  t.match(missing.err, /no-such-file\.yaml/)
  t.notMatch(missing.out, /the system is ready/)
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

t.test('a harness that breaks is exit code 4, with a report where the system ran', async (t) => {
  for (const [file, text] of [
    ['throws', 'planted throw'],
    ['rejects', 'planted rejection'],
    ['bad-import', 'is-not-there'],
  ] as const) {
    const { code, err, folder } = await run(t, `test/e2e/scenarios/${file}.mjs`)
    t.equal(code, 4, file)
    t.match(err, text)
    t.match(resultsIn(folder).scenarios[0]?.ended, { kind: 'error' })
  }
  const early = await run(t, 'test/e2e/scenarios/throws-early.mjs')
  t.equal(early.code, 4)
})

t.test('an interruption ends with a report of what was measured, exit codes 130 and 143', async (t) => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const folder = t.testdir({ [signal]: {} })
    const { child, ended, said } = start('test/e2e/scenarios/waits.mjs', ['--out', join(folder, signal)])
    await said('the system is ready')
    await new Promise((resolve) => setTimeout(resolve, 1_000))
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

/** Every process below `pid`, by /proc. */
function descendants(pid: number): readonly number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])] as const]
      } catch {
        return []
      }
    })
  const found: number[] = []
  const visit = (parent: number): void => {
    for (const [child, of] of parents) {
      if (of !== parent) continue
      found.push(child)
      visit(child)
    }
  }
  visit(pid)
  return found
}

function alive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

/** Resolves when all are gone, or after 20 s. */
async function gone(pids: readonly number[]): Promise<void> {
  for (let left = 200; left > 0 && pids.some(alive); left -= 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
