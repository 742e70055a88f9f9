// The options that every scenario and the suite share: parsed, checked, and explained by --help.

import { parseArgs } from 'node:util'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import { exitCodeMeanings, exitCodes } from '../../contracts/exit-codes.ts'

export interface ScenarioOptions {
  readonly cluster: 'local' | 'kubernetes'
  /** Null: the scenario's own default. */
  readonly durationMs: number | null
  readonly seed: number
  /** Folder that gets the report's folder. */
  readonly out: string
  /** Print results.json on standard output, and progress on standard error. */
  readonly json: boolean
  readonly flow: string | null
  readonly inputs: string | null
  readonly expect: string | null
  readonly targets: string | null
  /** Modules with components of the user's own. */
  readonly components: string | null
}

/** What a scenario makes of the options. */
export interface OptionLimits {
  /** Shortest duration with which it can judge, ms. */
  readonly leastDurationMs: number
  /** Longest, ms; default a day: records are kept in memory until they are judged. */
  readonly mostDurationMs?: number
  readonly takesFlow: boolean
  /** Default all. */
  readonly clusters?: readonly ScenarioOptions['cluster'][]
}

const dayMs = 86_400_000

const table = {
  cluster: { value: 'local|kubernetes', help: 'Where the system runs [default local]' },
  duration: { value: 'TIME', help: 'How long the load runs, e.g. 8s, 1500ms, 2m [default: see above]' },
  seed: { value: 'NUMBER', help: 'Seed of every random choice [default: drawn, and shown in the report]' },
  out: { value: 'FOLDER', help: 'Where the report goes [default reports/out]' },
  json: { value: null, help: 'Print results.json on standard output, progress on standard error' },
  flow: { value: 'FILE', help: 'Your own flow (YAML or JSON) in place of the built-in workload' },
  inputs: { value: 'FILE', help: 'JSON array of inputs for --flow, used in turn' },
  expect: { value: 'FILE', help: 'JSON array of expected results, one for each input' },
  components: { value: 'FILE', help: 'Your own components (docs/components.md), beside the built-in ones' },
  targets: {
    value: 'FILE',
    help: 'Your own targets (YAML or JSON), over the defaults of scenarios/targets.ts',
  },
} as const

/** Largest seed: what 32 bits hold. */
const maxSeed = 0xffff_ffff

/**
 * @returns the options, or `'help'`
 * @throws GauntletErrors with every problem (ERR_FLAG_UNKNOWN, ERR_FLAG_VALUE)
 */
export function parseScenarioOptions(
  args: readonly string[],
  limits: OptionLimits,
): ScenarioOptions | 'help' {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        Object.entries(table).map(([name, { value }]) => [
          name,
          { type: value === null ? ('boolean' as const) : ('string' as const) },
        ]),
      ),
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  if (values['help'] === true) return 'help'
  const problems: GauntletError[] = []
  const bad = (
    code: 'ERR_FLAG_UNKNOWN' | 'ERR_FLAG_VALUE',
    field: string,
    problem: string,
    fix: string,
  ): void => {
    problems.push(new GauntletError(code, problem, { field, fix }))
  }
  for (const token of tokens) {
    if (token.kind === 'positional') bad('ERR_FLAG_UNKNOWN', token.value, 'is no option', 'see --help')
    if (token.kind === 'option' && token.name !== 'help' && !Object.hasOwn(table, token.name)) {
      bad('ERR_FLAG_UNKNOWN', token.rawName, 'is not an option of this command', 'see --help')
    }
    const takesNone = token.kind === 'option' && (token.name === 'json' || token.name === 'help')
    if (takesNone && token.value !== undefined) {
      bad('ERR_FLAG_VALUE', token.rawName, `got ${token.value}`, 'write it without a value')
    }
  }
  const text = (name: keyof typeof table): string | null => {
    const value = values[name]
    if (value === undefined) return null
    if (typeof value === 'string' && value !== '') return value
    bad('ERR_FLAG_VALUE', `--${name}`, 'has no value', `write ${table[name].value} after it`)
    return null
  }
  const cluster = text('cluster') ?? 'local'
  if (cluster !== 'local' && cluster !== 'kubernetes') {
    bad('ERR_FLAG_VALUE', '--cluster', `got ${cluster}`, 'use local or kubernetes')
  } else if (limits.clusters?.includes(cluster) === false) {
    bad(
      'ERR_FLAG_VALUE',
      '--cluster',
      `this scenario cannot run on ${cluster}`,
      `use ${limits.clusters.join(' or ')}`,
    )
  }
  const durationText = text('duration')
  const durationMs = durationText === null ? null : parseDuration(durationText)
  if (durationText !== null && durationMs === null) {
    bad('ERR_FLAG_VALUE', '--duration', `got ${durationText}`, 'use a number with ms, s, m or h, e.g. 8s')
  }
  if (durationMs !== null && durationMs < limits.leastDurationMs) {
    bad(
      'ERR_FLAG_VALUE',
      '--duration',
      `got ${durationText}`,
      `use at least ${limits.leastDurationMs}ms: less cannot be judged`,
    )
  }
  const mostDurationMs = limits.mostDurationMs ?? dayMs
  if (durationMs !== null && durationMs > mostDurationMs) {
    bad(
      'ERR_FLAG_VALUE',
      '--duration',
      `got ${durationText}`,
      `use at most ${formatDuration(mostDurationMs)}`,
    )
  }
  const seedText = text('seed')
  const seed = seedText === null ? Math.floor(Math.random() * maxSeed) : Number(seedText)
  if (
    !Number.isInteger(seed) ||
    seed < 0 ||
    seed > maxSeed ||
    (seedText !== null && !/^\d+$/.test(seedText))
  ) {
    bad('ERR_FLAG_VALUE', '--seed', `got ${seedText}`, `use a whole number from 0 to ${maxSeed}`)
  }
  const [flow, inputs, expect] = [text('flow'), text('inputs'), text('expect')]
  if (flow !== null && !limits.takesFlow) {
    bad('ERR_FLAG_VALUE', '--flow', 'this scenario needs its own workload', 'leave it out')
  }
  if (flow === null && (inputs !== null || expect !== null)) {
    bad(
      'ERR_FLAG_VALUE',
      inputs !== null ? '--inputs' : '--expect',
      'stands without --flow',
      'name the flow it is for',
    )
  }
  const options: ScenarioOptions = {
    cluster: cluster === 'kubernetes' ? 'kubernetes' : 'local',
    durationMs,
    seed,
    out: text('out') ?? 'reports/out',
    json: values['json'] === true,
    flow,
    inputs,
    expect,
    targets: text('targets'),
    components: text('components'),
  }
  const [first, ...rest] = problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
  return options
}

/** `8s`, `1500ms`, `2m`, `1h` in ms; null for anything else. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text)
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? '']
  return match === null || unit === undefined ? null : Math.round(Number(match[1]) * unit)
}

/** `8s`, `1500ms`: the shortest text that parseDuration reads back. */
export function formatDuration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

/** The text of --help. */
export function scenarioHelp(usage: string, summary: string, defaultDuration: string): string {
  const rows = Object.entries(table).map(([name, { value, help }]) => [
    `  --${name}${value === null ? '' : ` ${value}`}`,
    help,
  ])
  rows.push(['  -h, --help', 'Print this text and exit'])
  const codes = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${exitCodeMeanings[name as keyof typeof exitCodes]}`,
  )
  return [
    `Usage: ${usage} [options]`,
    '',
    summary,
    `Default duration: ${defaultDuration}.`,
    '',
    'Options:',
    ...rows.map(([left, right]) => `${(left ?? '').padEnd(32)}${right}`),
    '',
    'Exit codes:',
    ...codes,
    '',
  ].join('\n')
}
