// Tests of the command line: render again, verify offline, and say what is wrong.

import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { runReports } from './cli.ts'
import { renderJson } from './formats/json.ts'
import { sampleResults } from './testing/sample.ts'

async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ['', '']
  const code = await runReports(args, {
    out: (text) => (out += text),
    error: (text) => (error += text),
    colour: false,
  })
  return { code, out, error }
}

t.test('render makes the other files beside a results.json, or where it is told', async (t) => {
  const folder = t.testdir({ 'results.json': renderJson(sampleResults('fail')), other: {} })
  const file = join(folder, 'results.json')
  t.match(await run('render', file), { code: 0, out: /index\.html\n/ })
  t.strictSame((await readdir(folder)).sort(), [
    'index.html',
    'junit.xml',
    'other',
    'results.json',
    'summary.md',
  ])
  await run('render', file, join(folder, 'other', 'new'))
  t.equal(
    await readFile(join(folder, 'other/new/index.html'), 'utf8'),
    await readFile(join(folder, 'index.html'), 'utf8'),
  )
})

t.test('verify exits with the verdict that the figures give', async (t) => {
  const folder = t.testdir()
  const verify = async (kind: 'pass' | 'fail' | 'invalid') => {
    await writeFile(join(folder, kind), renderJson(sampleResults(kind)))
    return run('verify', join(folder, kind))
  }
  t.match(await verify('pass'), { code: 0, out: /verified: PASS, the figures give the same verdict/ })
  t.match(await verify('fail'), { code: 1, out: /verified: FAIL/ })
  t.match(await verify('invalid'), { code: 3, out: /verified: INVALID/ })
})

t.test('verify does not trust a verdict that was changed', async (t) => {
  const folder = t.testdir({ 'r.json': renderJson({ ...sampleResults('invalid'), verdict: 'PASS' }) })
  t.match(await run('verify', join(folder, 'r.json')), {
    code: 3,
    error: /does not agree: suite: says PASS, its scenarios give INVALID/,
    out: /does not hold together/,
  })
})

t.test('says what is wrong and exits 2', async (t) => {
  const folder = t.testdir({ 'bad.json': '{}' })
  t.match(await run('verify', join(folder, 'none.json')), {
    code: 2,
    error: /none\.json: cannot be read, name a results\.json/,
  })
  t.match(await run('render', join(folder, 'bad.json')), { code: 2, error: /schemaVersion/ })
  t.match(await run('verify'), { code: 2, error: /Usage/ })
  t.match(await run('destroy', 'x'), { code: 2, error: /Usage/ })
  t.match(await run('render', 'a', 'b', 'c'), { code: 2, error: /Usage/ })
})

t.test('help and schema go to standard output', async (t) => {
  t.match(await run('--help'), { code: 0, out: /render .*results\.json[\s\S]*Exit codes/, error: '' })
  t.equal(JSON.parse((await run('schema')).out).title, 'results.json of Stepflow Gauntlet, schema version 1')
})

t.test('as a program it writes nothing on standard error that is not an error', async (t) => {
  const folder = t.testdir({ 'results.json': renderJson(sampleResults('pass')) })
  const command = promisify(execFile)
  const args = [join(import.meta.dirname, 'cli.ts'), 'render', join(folder, 'results.json')]
  t.equal((await command(process.execPath, args)).stderr, '')
})
