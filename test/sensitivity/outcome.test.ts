// Tests of what counts as a catch, and of the pages: every defect has its row.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { defects } from '../defects/index.ts'
import type { TrialEntry } from './ledger.ts'
import { outcomeOf } from './outcome.ts'
import { sensitivityTable, specificityTable } from './page.ts'

const failed = (...names: readonly string[]) =>
  names.map((name) => ({ scenario: 'smoke', name, reason: 'r' }))
const meant = { checker: 'affinity' } as const

t.test('only a failure of the checker that was meant is a catch by it', async (t) => {
  const of = (verdict: TrialEntry['verdict'], code: number, ...names: readonly string[]) =>
    outcomeOf(meant, { verdict, code, failed: failed(...names) })
  t.equal(of('FAIL', 1, 'once', 'affinity (steady)'), 'caught')
  t.equal(of('FAIL', 1, 'once'), 'caught by others')
  t.equal(of('PASS', 0), 'missed')
  t.equal(of('INVALID', 3), 'INVALID', 'an INVALID is no catch')
  t.equal(of('ERROR', 4, 'harness'), 'broken', 'nor is a trial that broke')
})

const entry: TrialEntry = {
  ...{ commit: 'abc', machine: 'm', seed: 1, defect: null, scenarios: ['smoke'], durationMs: null },
  ...{ beside: 'nothing', at: '2026-01-01T00:00:00Z', verdict: 'PASS', code: 0, failed: [], unknown: [] },
  ...{ seconds: 3, othersShare: 0.1 },
}

t.test('a row shows the latest trial that proved anything', async (t) => {
  const trial = { ...entry, defect: 'balancer-ignores-instance-id' } as const
  const text = sensitivityTable([
    { ...trial, verdict: 'FAIL', code: 1, failed: failed('affinity', 'once') },
    { ...trial, commit: 'def', verdict: 'INVALID', code: 3 },
  ])
  t.match(text, /^\| `balancer-ignores-instance-id` .*\| caught, 3 s, also once +\| abc +\|$/m)
  t.match(text, /not run/)
})

t.test('rates of clean trials are told apart by company', async (t) => {
  const text = specificityTable([entry, entry, { ...entry, beside: 'hog', verdict: 'INVALID' }])
  t.match(text, /^\| abc +\| nothing \| 0 of 2 .*\| 0 of 2 .*\| 10 % +\|$/m)
  t.match(text, /^\| abc +\| hog +\| 0 of 1 .*\| 1 of 1 /m)
})

t.test('the page has a row for every defect, with its scenario and checker', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference/sensitivity.md'), 'utf8')
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, name, what, scenario, checker]) => [name?.replace(' (blind)', ''), what, scenario, checker])
  t.same(
    rows,
    Object.entries(defects).map(([name, { what, scenario, checker }]) => [name, what, scenario, checker]),
  )
})
