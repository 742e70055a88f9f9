// `npm run sensitivity`: plants every defect of the catalogue, one after another, and tells which scenario and which
// checker caught it, and how fast. `--slice` takes the few that CI has time for; `--defects a,b` those named.

import { join } from 'node:path'
import { commandFlags } from '../../bench/command.ts'
import { reportGoals } from '../../bench/goals.ts'
import { GauntletError } from '../../contracts/errors.ts'
import { exitCodes } from '../../contracts/exit-codes.ts'
import { type DefectName, defects } from '../defects/index.ts'
import { commitOf, machineOf, type TrialEntry } from './ledger.ts'
import { caughtBy, type Outcome, outcomeOf } from './outcome.ts'
import { writePages } from './page.ts'
import { slice } from './slice.ts'
import { createTrials } from './start-trial.ts'

const values = commandFlags(
  'npm run sensitivity -- [options]',
  'Plants each defect of test/defects in the system or the harness, runs the scenario that must bring it out,\n' +
    'and tells which checker caught it. Trials that were run before with the same commit, machine and seed are\n' +
    'taken from reports/out/trials.ndjson.',
  {
    slice: { kind: 'switch', help: 'The few defects that CI has time for, in under two minutes' },
    defects: { kind: 'text', default: null, help: 'Only these, with commas between' },
    seed: { kind: 'whole', default: 1, min: 0, max: 0xffff_ffff, help: 'Seed of the first try' },
    write: { kind: 'switch', help: 'Run nothing: put the trials of the ledger into docs/reference/' },
  },
)

if (values.write) {
  writePages()
  process.exit(exitCodes.pass)
}

/** An INVALID is no catch: the trial is tried again, this often, with the next seed. */
const mostTries = 3

const all = Object.keys(defects) as DefectName[]
const named = values.defects?.split(',') ?? (values.slice ? slice : all)
const strange = named.filter((name) => !(all as string[]).includes(name))
if (strange.length > 0) {
  const { message } = new GauntletError('ERR_FLAG_VALUE', `got ${strange.join(', ')}`, {
    field: '--defects',
    fix: 'use names of files in test/defects',
  })
  process.stderr.write(`error: ${message}\n`)
  process.exit(exitCodes.usage)
}

interface Row {
  readonly defect: DefectName
  readonly what: string
  readonly role: string
  readonly blind: boolean
  readonly scenario: string
  readonly meant: string
  readonly outcome: Outcome
  readonly by: readonly string[]
  readonly seconds: number
  readonly tries: number
}

const root = join(import.meta.dirname, '../..')
const [commit, machine] = [commitOf(root), machineOf()]
const trials = createTrials()
const rows: Row[] = []
const startedAt = performance.now()
for (const name of named as DefectName[]) {
  const row = await tryOut(name)
  rows.push(row)
  process.stdout.write(`${lineOf(row)}\n`)
}
const whole = ((performance.now() - startedAt) / 1000).toFixed(0)
process.stdout.write(`\n${rows.length} defects in ${whole} s, commit ${commit}, ${machine}\n`)
const caught = rows.filter(({ outcome }) => outcome.startsWith('caught'))
const goals = [
  { name: 'defects-caught', measured: caught.length },
  { name: 'caught-by-its-checker', measured: caught.filter(({ outcome }) => outcome === 'caught').length },
].map((goal) => ({ ...goal, target: rows.length, comparison: 'at least' as const, unit: 'defects' }))
reportGoals(values.slice ? 'sensitivity-slice' : 'sensitivity', goals, { commit, machine, rows })
process.exitCode = goals.every(({ measured, target }) => measured >= target) ? exitCodes.pass : exitCodes.fail

async function tryOut(name: DefectName): Promise<Row> {
  const { what, role, scenario, checker, ...rest } = defects[name]
  let last: TrialEntry | null = null
  let tries = 0
  while (tries < mostTries && (last === null || outcomeOf({ checker }, last) === 'INVALID')) {
    last = await trials.run({
      ...{ commit, machine, seed: values.seed + tries, defect: name, scenarios: [scenario] },
      ...{ durationMs: null, beside: 'nothing' },
    })
    tries++
  }
  const by = last === null ? [] : caughtBy(last)
  const outcome = last === null ? 'missed' : outcomeOf({ checker }, last)
  const blind = 'blind' in rest
  return {
    defect: name,
    what,
    role,
    blind,
    scenario,
    meant: checker,
    outcome,
    by,
    seconds: last?.seconds ?? 0,
    tries,
  }
}

function lineOf({ defect, scenario, meant, outcome, by, seconds, tries }: Row): string {
  const others = by.filter((name) => name !== meant)
  const told =
    outcome === 'caught'
      ? `by ${meant}${others.length === 0 ? '' : ` (also ${others.join(', ')})`}`
      : outcome === 'caught by others'
        ? `by ${by.join(', ')}, meant was ${meant}`
        : `meant was ${meant}`
  const again = tries > 1 ? `, at try ${tries}` : ''
  return `${outcome.padEnd(9)} ${defect} in ${scenario} ${told}, ${seconds.toFixed(1)} s${again}`
}
