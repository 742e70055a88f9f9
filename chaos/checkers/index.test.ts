import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type CheckerName, check, checkers } from './index.ts'
import { aProcess, aRun, historyOf } from './sample-history.ts'

const root = join(import.meta.dirname, '../..')

t.test('the reference page has one row for each checker, with its claim', async (t) => {
  const page = readFileSync(join(root, 'docs/reference/checkers.md'), 'utf8')
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, name, claim]) => [name?.replaceAll('`', ''), claim])
  t.same(
    rows,
    Object.values(checkers).map(({ name, claim }) => [name, claim]),
  )
})

t.test(
  'each checker is registered under its name, and stands with its histories in a file of that name',
  async (t) => {
    const files = new Set(readdirSync(import.meta.dirname))
    for (const [name, checker] of Object.entries(checkers)) {
      t.equal(checker.name, name)
      t.ok(files.has(`${name}.ts`), name)
      t.ok(files.has(`${name}.test.ts`), name)
    }
  },
)

t.test('runs the named checkers in the order named', async (t) => {
  const results = check(['once', 'affinity'], historyOf(aProcess('pod-a'), aRun()))
  t.same(
    results.map(({ name, outcome }) => [name, outcome]),
    [
      ['once', 'pass'],
      ['affinity', 'pass'],
    ],
  )
})

t.test('no checker passes an empty history', async (t) => {
  for (const { name, outcome } of check(Object.keys(checkers) as CheckerName[], []))
    t.equal(outcome, 'unknown', name)
})
