// `npm run specificity -- --trials 200`: trials of the system as it is, half of them beside a process that keeps one core
// busy. A FAIL is a false alarm; each rate is told with its exact 95 % bounds.

import { join } from 'node:path'
import { commandFlags } from '../../bench/command.ts'
import { type Goal, reportGoals } from '../../bench/goals.ts'
import { exitCodes } from '../../contracts/exit-codes.ts'
import { proportion, proportionText } from '../../reports/judge/proportion.ts'
import { commitOf, machineOf, type TrialEntry } from './ledger.ts'
import { createTrials } from './start-trial.ts'

/** A trial: runs of every kind, then a kill in the middle of many streams, on one boot of the system. */
const scenarios = ['smoke', 'kill-mid-sse']
const durationMs = 3_000

const { trials: count, seed: firstSeed } = commandFlags(
  'npm run specificity -- [options]',
  `Runs clean trials (${scenarios.join(', ')}; a quarter of a minute each), every other one beside a CPU hog, and\n` +
    'tells how many were false alarms and how many INVALID. Trials that were run before with the same commit,\n' +
    'machine and seed are taken from reports/out/trials.ndjson, so a series that broke off goes on.',
  {
    trials: { kind: 'whole', default: 200, min: 2, max: 100_000, help: 'How many in all' },
    seed: {
      kind: 'whole',
      default: 1,
      min: 0,
      max: 0xffff_ffff,
      help: 'Seed of the first trial; each further one has the next',
    },
  },
)

const [commit, machine] = [commitOf(join(import.meta.dirname, '../..')), machineOf()]
const trials = createTrials()
const entries: TrialEntry[] = []
for (let index = 0; index < count; index++) {
  const entry = await trials.run({
    ...{ commit, machine, seed: firstSeed + index, defect: null, scenarios, durationMs },
    beside: index % 2 === 0 ? 'nothing' : 'hog',
  })
  entries.push(entry)
  const why = [...entry.failed, ...entry.unknown].map(({ scenario, name, reason }) => {
    return `\n    ${scenario} ${name}: ${reason.slice(0, 300)}`
  })
  const others = entry.othersShare === null ? '' : `, others had ${(entry.othersShare * 100).toFixed(0)} %`
  process.stdout.write(
    `${index + 1}/${count} seed ${entry.seed} beside ${entry.beside}: ${entry.verdict}, ${entry.seconds.toFixed(1)} s${others}` +
      `${entry.known ? ' (from the ledger)' : ''}${why.join('')}\n`,
  )
}

const of = (beside: TrialEntry['beside'] | null, verdicts: readonly string[]) => {
  const among = entries.filter((entry) => beside === null || entry.beside === beside)
  return proportion(among.filter(({ verdict }) => verdicts.includes(verdict)).length, among.length)
}
// A trial that ended without a verdict is no false alarm, and no proof either.
const alarms = of(null, ['FAIL'])
const quiet = of('nothing', ['INVALID', 'ERROR'])
const hog = of('hog', ['INVALID', 'ERROR'])
process.stdout.write(`\ncommit ${commit}, ${machine}\n`)
for (const [what, rate] of [
  ['false alarms', alarms],
  ['false alarms when quiet', of('nothing', ['FAIL'])],
  ['false alarms beside the hog', of('hog', ['FAIL'])],
  ['INVALID when quiet', quiet],
  ['INVALID beside the hog', hog],
] as const) {
  process.stdout.write(`${what}: ${proportionText(rate)}\n`)
}
const percent = (share: number | null) => (share === null ? null : share * 100)
const most = (name: string, measured: number | null, target: number, unit: string): Goal => ({
  ...{ name, measured, target, unit },
  comparison: 'at most',
})
const goals = [
  most('false-alarms', alarms.count, 0, 'trials'),
  most('invalid-when-quiet', percent(quiet.share), 5, '%'),
  most('invalid-beside-the-hog', percent(hog.share), 20, '%'),
]
const enough: Goal = {
  ...{ name: 'clean-trials', measured: count, target: 200, unit: 'trials' },
  comparison: 'at least',
}
reportGoals('specificity', [enough, ...goals], { commit, machine, scenarios, durationMs, entries })
process.exitCode = goals.every(({ measured, target }) => measured !== null && measured <= target)
  ? exitCodes.pass
  : exitCodes.fail
