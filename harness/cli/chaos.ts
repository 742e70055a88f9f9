// The search behind `npm run chaos`: draws schedules, runs them, shrinks and keeps what fails.

import { parseArgs } from 'node:util'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import { type ExitCode, exitCodeMeanings, exitCodes } from '../../contracts/exit-codes.ts'

const flags = {
  seed: {
    fallback: null,
    least: 0,
    most: 0xffff_ffff,
    help: 'Seed of every schedule [default: drawn, and printed]',
  },
  trials: { fallback: 10, least: 1, most: 100_000, help: 'Schedules to run [default 10]' },
  first: { fallback: 0, least: 0, most: 100_000, help: 'Number of the first schedule [default 0]' },
  tries: { fallback: 30, least: 0, most: 1_000, help: 'Runs that shrinking may take [default 30]' },
  repeats: {
    fallback: 5,
    least: 1,
    most: 100,
    help: 'Runs that measure how often it fails again [default 5]',
  },
} as const

type Numbers = Readonly<Record<keyof typeof flags, number>>

/** Wrong usage is exit code 2. */
export async function runChaosCommand(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      out: { type: 'string' },
      ...Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' as const }])),
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  if (values['help'] === true) {
    process.stdout.write(help())
    return exitCodes.pass
  }
  const problems = [
    ...positionals.map(
      (word) => new GauntletError('ERR_FLAG_UNKNOWN', 'is no option', { field: word, fix: 'see --help' }),
    ),
    ...tokens.flatMap((token) =>
      token.kind === 'option' && !['help', 'out', ...Object.keys(flags)].includes(token.name)
        ? new GauntletError('ERR_FLAG_UNKNOWN', 'is not an option of this command', {
            field: token.rawName,
            fix: 'see --help',
          })
        : [],
    ),
  ]
  const numbers = Object.fromEntries(
    Object.entries(flags).map(([name, { fallback, least, most }]) => {
      const text = values[name]
      if (text === undefined) return [name, fallback ?? Math.floor(Math.random() * 0xffff_ffff)]
      const value = Number(text)
      if (typeof text !== 'string' || !/^\d+$/.test(text) || value < least || value > most) {
        problems.push(
          new GauntletError('ERR_FLAG_VALUE', `got ${String(text)}`, {
            field: `--${name}`,
            fix: `use ${least} to ${most}`,
          }),
        )
      }
      return [name, value]
    }),
  ) as Numbers
  const [first, ...rest] = problems
  if (first !== undefined) {
    const all = new GauntletErrors([first, ...rest])
    process.stderr.write(`${all.problems.map(({ message }) => `error: ${message}\n`).join('')}`)
    return exitCodes.usage
  }
  const { searchChaos } = await import('../experiment/search.ts')
  const out = typeof values['out'] === 'string' ? values['out'] : 'reports/out'
  const { code } = await searchChaos({ ...numbers, out })
  return code
}

function help(): string {
  return [
    'Usage: npm run chaos -- [options]',
    '',
    'Draws random schedules of faults and load and runs each on a fresh system. A failing one is shrunk to the fewest',
    'faults and least load that still fail, and kept under OUT/chaos/ as an experiment that replays.',
    'The same seed draws the same schedules.',
    '',
    'Options:',
    ...Object.entries(flags).map(([name, { help: text }]) => `  --${`${name} NUMBER`.padEnd(20)}${text}`),
    `  --${'out FOLDER'.padEnd(20)}Where reports and experiments go [default reports/out]`,
    `  ${'-h, --help'.padEnd(22)}Print this text and exit`,
    '',
    'Exit codes:',
    ...Object.entries(exitCodes).map(
      ([name, code]) => `  ${String(code).padStart(3)}  ${exitCodeMeanings[name as keyof typeof exitCodes]}`,
    ),
    '',
  ].join('\n')
}
