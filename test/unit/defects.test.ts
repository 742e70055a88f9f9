// Tests of planting: an edit lands exactly once, or not at all and loudly.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { importsOf } from '../../scripts/check-imports.ts'
import { type Defect, plantIn } from '../defects/defect.ts'
import { type DefectName, defectArgs, defects } from '../defects/index.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const sample: Defect = {
  role: 'balancer',
  file: 'system/x.ts',
  what: 'a sample',
  checker: 'affinity',
  scenario: 'smoke',
  edits: [
    { find: 'one', replace: '$& 1' },
    { find: 'two', replace: '2' },
  ],
}

t.test('makes every edit, literally', async (t) => {
  t.equal(plantIn('one two', sample), '$& 1 2')
})

t.test('refuses code that has moved or is no longer alone', async (t) => {
  t.throws(
    () => plantIn('one', sample),
    /system\/x\.ts: the code to change stands there 0 times, not once:\ntwo/,
  )
  t.throws(() => plantIn('one one two', sample), /stands there 2 times/)
})

/** Files that a program loads at its start. */
function reachable(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen
  seen.add(path)
  for (const target of importsOf({ path, text: read(path) })) reachable(target, seen)
  return seen
}

const programs = {
  // The load generator is a thread of its own.
  harness: reachable('harness/scenario/session.ts', reachable('harness/load/engines/embedded/thread.ts')),
  runtime: reachable('system/runtime/main.ts'),
  balancer: reachable('system/balancer/main.ts'),
  'component-server': reachable('system/component-server/main.ts'),
}

for (const [name, defect] of Object.entries(defects) as [DefectName, Defect][]) {
  t.test(`${name} still fits today's code`, async (t) => {
    const source = read(defect.file)
    const planted = plantIn(source, defect)
    t.not(planted, source)
    // Throws where the result is no TypeScript that Node can run.
    t.ok(stripTypeScriptTypes(planted))
    t.ok(name.startsWith(`${defect.role}-`), 'its name begins with its role')
    t.ok(programs[defect.role].has(defect.file), `${defect.role} loads ${defect.file}`)
    const { also, scenario } = defect
    if (also !== undefined) {
      t.ok(stripTypeScriptTypes(plantIn(read(also.file), also)))
      t.ok(programs[also.role].has(also.file), `${also.role} loads ${also.file}`)
      t.not(also.role, defect.role, 'another program')
    }
    const file = scenario.endsWith('.yaml')
      ? `test/defects/experiments/${scenario}`
      : `scenarios/${scenario}.mjs`
    t.ok(existsSync(join(root, file)), file)
  })
}

t.test('every defect of the folder is registered under the name of its file', async (t) => {
  const files = readdirSync(join(root, 'test/defects'))
    .filter((file) => file.endsWith('.ts') && !/^(defect|index|plant)\.ts$/.test(file))
    .map((file) => file.replace(/\.ts$/, ''))
  t.strictSame(Object.keys(defects).sort(), files.sort())
})

const start = (args: readonly string[], role = 'component-server') =>
  spawnSync(process.execPath, [...args, join(root, `system/${role}/main.ts`), '--help'], { encoding: 'utf8' })

t.test('a program with a defect says so, and starts', async (t) => {
  const { status, stderr, stdout } = start(defectArgs('component-server-wrong-value'))
  t.match(
    stderr,
    'defect component-server-wrong-value planted in system/component-server/components/arithmetic.ts',
  )
  t.match(stdout, 'Usage:')
  t.equal(status, 0)
})

t.test('a program whose defect cannot be planted does not start', async (t) => {
  const [flag = '', url = ''] = defectArgs('component-server-wrong-value')
  const unknown = start([flag, url.replace(/defect=.*/, 'defect=no-such-thing')])
  t.not(unknown.status, 0)
  t.equal(unknown.stdout, '')
  t.match(unknown.stderr, /^defect no-such-thing cannot be planted: .*no-such-thing/)
  t.match(
    start([flag, url.replace(/\?.*/, '')]).stderr,
    'cannot be planted: its name is no name of a file here',
  )
})
