// The options of a load, checked: every problem at once, defaults filled in.

import { randomBytes } from 'node:crypto'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import type { LoadOptions, LoadTarget, Profile, Workload } from '../../contracts/load.ts'
import { numberProblem, profileProblems } from './profiles/index.ts'

/** A load ready to be offered: plain data, so that it can be handed to another thread or program. */
export interface LoadPlan {
  readonly target: LoadTarget
  readonly workload: Workload
  readonly profile: Profile
  readonly timeoutMs: number
  readonly maxOpen: number
  readonly historyFile: string | null
  readonly requestPrefix: string
}

const defaults = { timeoutMs: 30_000, maxOpen: 2_000 } as const

/**
 * Checks `options` and fills in the defaults; the default request prefix is random.
 * @throws GauntletErrors of ERR_CONFIG_RANGE and ERR_CONFIG_FIELD, one for each problem
 */
export function planLoad(options: LoadOptions): LoadPlan {
  const { target, workload, profile } = options
  const plan: LoadPlan = {
    target: { ...target },
    workload: { ...workload },
    profile,
    timeoutMs: options.timeoutMs ?? defaults.timeoutMs,
    maxOpen: options.maxOpen ?? defaults.maxOpen,
    historyFile: options.historyFile ?? null,
    requestPrefix: options.requestPrefix ?? `r${randomBytes(4).toString('hex')}-`,
  }
  const problems = [
    ...profileProblems(profile).map(({ field, value, fix }) => rangeError(`profile.${field}`, value, fix)),
    ...[
      ...numberProblem('timeoutMs', plan.timeoutMs, { least: 1, most: 3_600_000 }),
      ...numberProblem('maxOpen', plan.maxOpen, { least: 1, most: 20_000, whole: true }),
    ].map(({ field, value, fix }) => rangeError(field, value, fix)),
    ...urlProblems(target.url),
    ...workloadProblems(workload),
  ]
  const [first, ...rest] = problems
  if (first !== undefined) throw new GauntletErrors([first, ...rest])
  return plan
}

function rangeError(field: string, value: unknown, fix: string): GauntletError {
  return new GauntletError('ERR_CONFIG_RANGE', `got ${shown(value)}`, { field: `load ${field}`, value, fix })
}

function urlProblems(url: string): readonly GauntletError[] {
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return []
  return [
    new GauntletError('ERR_CONFIG_FIELD', `got ${shown(url)}`, {
      field: 'load target.url',
      value: url,
      fix: 'use an absolute http URL',
    }),
  ]
}

function workloadProblems({ inputs, expected }: Workload): readonly GauntletError[] {
  const problem = (text: string, field: string, fix: string): GauntletError =>
    new GauntletError('ERR_CONFIG_FIELD', text, { field: `load workload.${field}`, fix })
  if (inputs.length === 0) return [problem('has no members', 'inputs', 'list one input or more')]
  if (expected === undefined || expected.length === inputs.length) return []
  return [
    problem(
      `has ${expected.length} members for ${inputs.length} inputs`,
      'expected',
      'list one expected result for each input',
    ),
  ]
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80)
}
