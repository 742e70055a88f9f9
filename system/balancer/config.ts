// The balancer's configuration file: pools, rules and limits, checked as a whole before any of it is in force.

import { readFile } from 'node:fs/promises'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parse } from 'yaml'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import { type Name, parseNames } from './discovery/names.ts'
import type { BalancerLimits } from './limits.ts'
import { defaultPool } from './pods.ts'
import type { RuleConfig } from './rules.ts'

const ms = Type.Integer({ minimum: 0, maximum: 86_400_000 })
const strict = { additionalProperties: false }

const schema = Type.Object(
  {
    /** Names of further pools; the default one is that of --upstream-service. */
    pools: Type.Optional(Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }), Type.String())),
    rules: Type.Optional(
      Type.Array(
        Type.Object(
          {
            component: Type.String({ minLength: 1, maxLength: 256 }),
            pools: Type.Record(Type.String(), Type.Number({ minimum: 0, maximum: 1_000_000 })),
          },
          strict,
        ),
        { maxItems: 1_000 },
      ),
    ),
    accessLogEvery: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
    limits: Type.Optional(
      Type.Partial(
        Type.Object({
          headTimeoutMs: ms,
          keepAliveMs: ms,
          bodyTimeoutMs: ms,
          minBodyBytesPerSecond: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
          stallTimeoutMs: ms,
          heartbeatMs: ms,
          streamIdleMs: ms,
          connectTimeoutMs: ms,
          maxBodyBytes: Type.Integer({ minimum: 1, maximum: 1_099_511_627_776 }),
          maxAttempts: Type.Integer({ minimum: 1, maximum: 16 }),
          maxClients: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
        }),
        strict,
      ),
    ),
  },
  strict,
)

export interface BalancerConfig {
  /** Beside the default pool. */
  readonly pools: Readonly<Record<string, readonly Name[]>>
  readonly rules: readonly RuleConfig[]
  /** Undefined: as the flag says. */
  readonly accessLogEvery: number | undefined
  readonly limits: Partial<BalancerLimits>
}

/** No file at all. */
export const emptyConfig: BalancerConfig = { pools: {}, rules: [], accessLogEvery: undefined, limits: {} }

/** @throws GauntletError ERR_CONFIG_READ, and what `parseConfig` throws */
export async function readConfig(file: string): Promise<BalancerConfig> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new GauntletError(
      'ERR_CONFIG_READ',
      `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`,
      {
        field: '--config',
        value: file,
        fix: 'name a file that can be read',
        cause: error,
      },
    )
  }
  return parseConfig(text)
}

/** @throws GauntletError ERR_CONFIG_SYNTAX, or GauntletErrors (ERR_CONFIG_FIELD) with every problem at once */
export function parseConfig(text: string): BalancerConfig {
  let value: unknown
  try {
    value = parse(text) ?? {}
  } catch (error) {
    throw new GauntletError('ERR_CONFIG_SYNTAX', error instanceof Error ? error.message : String(error), {
      field: '--config',
      fix: 'write valid YAML',
      cause: error,
    })
  }
  const problems = [...Value.Errors(schema, value)].map(({ path, message, value: got }) =>
    problem(path.slice(1).replaceAll('/', '.'), message, got),
  )
  throwAll(problems)
  const config = value as Static<typeof schema>
  const pools: Record<string, readonly Name[]> = {}
  for (const [pool, names] of Object.entries(config.pools ?? {})) {
    if (pool === defaultPool) problems.push(problem(`pools.${pool}`, 'is set by --upstream-service', names))
    try {
      pools[pool] = parseNames(names)
    } catch {
      problems.push(problem(`pools.${pool}`, 'is no host:port', names))
    }
  }
  config.rules?.forEach((rule, index) => {
    const weights = Object.entries(rule.pools)
    const field = `rules.${index}.pools`
    for (const [pool] of weights) {
      if (pool !== defaultPool && pools[pool] === undefined)
        problems.push(problem(`${field}.${pool}`, 'is no pool', pool))
    }
    if (!weights.some(([, weight]) => weight > 0))
      problems.push(problem(field, 'names no pool with a weight above 0', rule.pools))
  })
  throwAll(problems)
  return {
    pools,
    rules: config.rules ?? [],
    accessLogEvery: config.accessLogEvery,
    limits: (config.limits ?? {}) as Partial<BalancerLimits>,
  }
}

function problem(field: string, message: string, value: unknown): GauntletError {
  return new GauntletError('ERR_CONFIG_FIELD', message, {
    field,
    value,
    fix: 'see docs/reference/balancer.md',
  })
}

function throwAll(problems: readonly GauntletError[]): void {
  const [first, ...rest] = problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
}
