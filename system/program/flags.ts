// Command-line flags with environment variables behind them: parsed, checked, and listed by --help.

import { parseArgs } from 'node:util'
import { type ErrorCode, GauntletError, GauntletErrors } from '../../contracts/errors.ts'

interface FlagBase {
  /** One letter. */
  readonly short?: string
  /** Environment variable that gives the value where the flag is absent. */
  readonly env?: string
  readonly help: string
}

/** A flag's kind, default and limits. A `null` default means "not set". */
export type Flag =
  | (FlagBase & { readonly kind: 'text'; readonly default: string | null })
  | (FlagBase & { readonly kind: 'choice'; readonly choices: readonly string[]; readonly default: string })
  | (FlagBase & {
      readonly kind: 'whole'
      readonly default: number | null
      readonly min: number
      readonly max: number
    })
  | (FlagBase & { readonly kind: 'switch' })
  | (FlagBase & { readonly kind: 'address'; readonly default: string | null })
  | (FlagBase & { readonly kind: 'texts' })

export type Flags = Readonly<Record<string, Flag>>

type FlagValue<F extends Flag> = F extends { kind: 'switch' }
  ? boolean
  : F extends { kind: 'texts' }
    ? readonly string[]
    : F extends { kind: 'whole' }
      ? F['default'] extends number
        ? number
        : number | null
      : F extends { default: string }
        ? string
        : string | null

/** Values by flag name, as written: `{ 'bind-address': '127.0.0.1:8080' }`. */
export type FlagValues<T extends Flags> = { readonly [Name in keyof T]: FlagValue<T[Name]> }

/**
 * Reads `args` (without node and script) against `flags`; an absent flag takes its environment variable,
 * then its default. An empty environment variable counts as absent.
 * @returns the values, or `'help'` where `--help` or `-h` is among the arguments
 * @throws GauntletErrors naming every bad flag at once (ERR_FLAG_UNKNOWN, ERR_FLAG_VALUE)
 */
export function parseFlags<const T extends Flags>(
  flags: T,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): FlagValues<T> | 'help' {
  const problems: GauntletError[] = []
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }> = {
    help: { type: 'boolean', short: 'h' },
  }
  for (const [name, flag] of Object.entries(flags)) {
    options[name] = {
      type: flag.kind === 'switch' ? 'boolean' : 'string',
      ...(flag.short === undefined ? {} : { short: flag.short }),
      ...(flag.kind === 'texts' ? { multiple: true } : {}),
    }
  }
  const { values, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  if (values['help'] === true) return 'help'
  for (const token of tokens) {
    if (token.kind === 'positional') {
      problems.push(
        new GauntletError('ERR_FLAG_UNKNOWN', 'is no flag', { field: token.value, fix: 'see --help' }),
      )
    } else if (token.kind === 'option' && options[token.name] === undefined) {
      problems.push(
        new GauntletError('ERR_FLAG_UNKNOWN', 'is not a flag of this program', {
          field: token.rawName,
          fix: suggestion(token.name, Object.keys(options)),
        }),
      )
    }
  }
  const result: Record<string, unknown> = {}
  for (const [name, flag] of Object.entries(flags)) {
    const given = values[name]
    const fromEnv = given === undefined && flag.env !== undefined ? env[flag.env] : undefined
    const raw = given ?? (fromEnv === '' ? undefined : fromEnv)
    const field = given !== undefined || fromEnv === undefined ? `--${name}` : `${flag.env}`
    result[name] = readFlag(flag, field, raw, problems)
  }
  const [first, ...rest] = problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
  return result as FlagValues<T>
}

function readFlag(
  flag: Flag,
  field: string,
  raw: string | boolean | (string | boolean)[] | undefined,
  problems: GauntletError[],
): unknown {
  const bad = (problem: string, fix: string, code: ErrorCode = 'ERR_FLAG_VALUE'): undefined => {
    problems.push(new GauntletError(code, problem, { field, value: raw, fix }))
    return undefined
  }
  if (flag.kind === 'switch') {
    if (raw === undefined) return false
    if (typeof raw === 'boolean') return raw
    if (raw === 'true' || raw === '1') return true
    if (raw === 'false' || raw === '0') return false
    return bad(`got ${String(raw)}`, 'use true or false')
  }
  if (flag.kind === 'texts') {
    if (raw === undefined) return []
    const list = Array.isArray(raw) ? raw : [raw]
    if (list.some((item) => typeof item !== 'string')) return bad('has no value', 'write one after it')
    return list
  }
  if (raw === undefined) return flag.default
  if (typeof raw !== 'string') return bad('has no value', 'write one after it')
  switch (flag.kind) {
    case 'text':
      return raw
    case 'choice':
      return flag.choices.includes(raw) ? raw : bad(`got ${raw}`, `use ${flag.choices.join(' or ')}`)
    case 'whole': {
      const value = /^\d{1,15}$/.test(raw) ? Number(raw) : Number.NaN
      return value >= flag.min && value <= flag.max
        ? value
        : bad(`got ${raw}`, `use ${flag.min} to ${flag.max}`)
    }
    case 'address':
      return parseAddress(raw) === null ? bad(`got ${raw}`, 'use host:port, e.g. 127.0.0.1:8080') : raw
  }
}

/**
 * Splits `host:port` (IPv6 in brackets); null where it is none. The host may be a name.
 */
export function parseAddress(text: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  return host === undefined || port > 65535 ? null : { host, port }
}

function suggestion(name: string, known: readonly string[]): string {
  const near = known.find((candidate) => candidate.startsWith(name) || name.startsWith(candidate))
  return near === undefined ? 'see --help' : `did you mean --${near}? See --help`
}

/** The text of `--help`: usage line, summary, one line a flag with its default and environment variable. */
export function helpText(
  usage: string,
  summary: string,
  flags: Flags,
  notes: readonly string[] = [],
): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `
    const value =
      flag.kind === 'switch' ? '' : flag.kind === 'choice' ? ` ${flag.choices.join('|')}` : ` <${flag.kind}>`
    const byDefault = 'default' in flag && flag.default !== null ? `default ${flag.default}` : ''
    const env = flag.env === undefined ? '' : `env ${flag.env}`
    const extra = [byDefault, env].filter((part) => part !== '').join('; ')
    return [`  ${short}--${name}${value}`, extra === '' ? flag.help : `${flag.help} [${extra}]`] as const
  })
  rows.push(['  -h, --help', 'Print this text and exit'])
  const width = Math.min(44, Math.max(...rows.map(([left]) => left.length)) + 2)
  const lines = rows.map(([left, right]) =>
    left.length < width ? left.padEnd(width) + right : `${left}\n${' '.repeat(width)}${right}`,
  )
  return [`Usage: ${usage}`, '', summary, '', ...lines, ...(notes.length > 0 ? ['', ...notes] : []), ''].join(
    '\n',
  )
}
