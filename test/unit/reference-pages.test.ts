// The reference pages say what the code's tables say, entry by entry; README and package.json name the same commands.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { errorCodes } from '../../contracts/errors.ts'
import { exitCodeMeanings, exitCodes } from '../../contracts/exit-codes.ts'
import { loadScenarios } from '../../harness/cli/suite.ts'
import { targets } from '../../scenarios/targets.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Cells of every table row of a Markdown page, without code marks. */
function rows(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => /^\| /.test(line) && !/^\| -/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
}

t.test('errors.md holds every code with its meaning', async (t) => {
  const page = rows(read('docs/reference/errors.md')).slice(1)
  t.strictSame(
    page.map(([code, meaning, definite]) => [code, meaning, definite]),
    Object.entries(errorCodes).map(([code, { meaning, definite }]) => [
      code,
      meaning,
      definite ? 'yes' : 'no',
    ]),
  )
  t.ok(
    page.every((row) => (row[3] ?? '') !== ''),
    'each with what to do',
  )
})

t.test('exit-codes.md holds every exit code', async (t) => {
  t.strictSame(
    rows(read('docs/reference/exit-codes.md')).slice(1),
    Object.entries(exitCodes).map(([name, code]) => [
      String(code),
      name,
      exitCodeMeanings[name as keyof typeof exitCodes],
    ]),
  )
})

t.test('targets.md holds every target', async (t) => {
  t.strictSame(
    rows(read('docs/reference/targets.md')).slice(1),
    Object.entries(targets).map(([name, target]) => [
      name,
      target.scenario,
      `${target.comparison} ${target.target} ${target.unit}`,
      target.statistic,
    ]),
  )
})

t.test('the README lists every scenario with its own summary', async (t) => {
  const files = readdirSync(join(root, 'scenarios')).filter((file) => file.endsWith('.mjs'))
  const scenarios = await loadScenarios(files.map((file) => join(root, 'scenarios', file)))
  const listed = new Map(rows(read('README.md')).map(([name, text]) => [name, text]))
  for (const { name, definition } of scenarios) t.equal(listed.get(name), definition.summary, name)
})

t.test('every npm command that README and docs name is there, and every link leads somewhere', async (t) => {
  const scripts = Object.keys(JSON.parse(read('package.json')).scripts)
  const pages = [
    'README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((p) => `docs/${p}`),
  ]
  for (const page of pages.filter((path) => path.endsWith('.md'))) {
    const text = read(page)
    for (const [, script] of text.matchAll(/npm run ([a-z][a-z0-9-]*(?::[a-z0-9-]+)*)/g))
      t.ok(scripts.includes(script ?? ''), `${page}: npm run ${script}`)
    for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      t.ok(existsSync(join(root, page, '..', link ?? '')), `${page}: ${link}`)
    }
  }
})
