// Tests of the ledger: a trial is run once for its key, and a torn line is a trial not run.

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openLedger, type TrialEntry } from './ledger.ts'

const folder = mkdtempSync(join(tmpdir(), 'stepflow-gauntlet-ledger-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const entry: TrialEntry = {
  ...{ commit: 'c', machine: 'm', seed: 1, defect: null, scenarios: ['smoke'], durationMs: null },
  ...{ beside: 'nothing', at: '2026-01-01T00:00:00Z', verdict: 'PASS', code: 0, failed: [], unknown: [] },
  ...{ seconds: 3, othersShare: 0 },
}

t.test('finds again what was added, also after it is opened anew', async (t) => {
  const file = join(folder, 'deep/ledger.ndjson')
  const ledger = openLedger(file)
  t.equal(ledger.find(entry), undefined)
  ledger.add(entry)
  t.same(ledger.find(entry), entry)
  t.same(openLedger(file).find(entry), entry)
})

t.test('every part of the key tells trials apart', async (t) => {
  const ledger = openLedger(join(folder, 'keys.ndjson'))
  ledger.add(entry)
  for (const other of [
    { commit: 'd' },
    { machine: 'n' },
    { seed: 2 },
    { defect: 'x' },
    { scenarios: ['scale'] },
    { durationMs: 1 },
    { beside: 'hog' },
  ] as const) {
    t.equal(ledger.find({ ...entry, ...other }), undefined, JSON.stringify(other))
  }
})

t.test('a torn line is a trial not run', async (t) => {
  const file = join(folder, 'torn.ndjson')
  openLedger(file).add(entry)
  appendFileSync(file, JSON.stringify({ ...entry, seed: 2 }).slice(0, 50))
  const ledger = openLedger(file)
  t.ok(ledger.find(entry))
  t.equal(ledger.find({ ...entry, seed: 2 }), undefined)
})
