// The targets file: read, checked, and a user's figures put over the defaults.

import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { GauntletError } from '../../contracts/errors.ts'
import type { EarlierFigure, Results, ScenarioResult, ThresholdResult } from '../../contracts/results.ts'
import {
  type NamedTarget,
  type Target,
  TargetSchema,
  type Targets,
  TargetsSchema,
} from '../../contracts/targets.ts'
import { raise, schemaProblems, shown } from './problems.ts'
import { notMeasured } from './threshold.ts'

/** What a user's file may change: how a figure is measured is the scenario's business, not the file's. */
const changeable = ['target', 'claim', 'ifMissed'] as const satisfies readonly (keyof Target)[]

/** Largest targets file, bytes. */
const maxFileBytes = 1_048_576

/**
 * The targets to judge by: `defaults`, with single ones changed by a user's YAML or JSON file.
 * @param defaults scenarios/targets.ts
 * @param file path of the user's file; null: none
 * @throws GauntletErrors with every problem at once (ERR_CONFIG_READ, ERR_CONFIG_SYNTAX, ERR_TARGET)
 * @example await loadTargets(targets, 'slow-laptop.yml') // pod-rate: { target: 40 }
 */
export async function loadTargets(defaults: unknown, file: string | null = null): Promise<Targets> {
  const checked = parseTargets(defaults, 'scenarios/targets.ts')
  if (file === null) return checked
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new GauntletError('ERR_CONFIG_READ', 'cannot be read', {
      field: file,
      fix: 'name a YAML or JSON file of targets',
      cause,
    })
  }
  if (Buffer.byteLength(text) > maxFileBytes) {
    throw new GauntletError('ERR_CONFIG_READ', 'is larger than 1 MiB', {
      field: file,
      fix: 'name a targets file',
    })
  }
  return overrideTargets(checked, parseText(text, file), file)
}

/**
 * Checks a whole set of targets.
 * @throws GauntletErrors with every problem at once (ERR_TARGET)
 */
export function parseTargets(value: unknown, source = 'targets'): Targets {
  const problems = schemaProblems(TargetsSchema, value, source, 'ERR_TARGET')
  raise(problems)
  return value as Targets
}

/**
 * Puts a user's values over the defaults, target by target, field by field.
 * @throws GauntletErrors with every problem at once (ERR_TARGET)
 */
export function overrideTargets(defaults: Targets, overrides: unknown, source = 'targets'): Targets {
  if (overrides === null || overrides === undefined) return defaults
  if (typeof overrides !== 'object' || Array.isArray(overrides)) {
    throw new GauntletError('ERR_TARGET', `got ${shown(overrides)}`, {
      field: source,
      value: overrides,
      fix: 'write targets by name, e.g. pod-rate: { target: 40 }',
    })
  }
  const problems: GauntletError[] = []
  const merged: Record<string, Target> = { ...defaults }
  for (const [name, change] of Object.entries(overrides as Record<string, unknown>)) {
    const field = `${source}: ${name}`
    const known = Object.hasOwn(defaults, name) ? defaults[name] : undefined
    if (known === undefined) {
      const fix = `use one of ${Object.keys(defaults).join(', ')}`
      problems.push(new GauntletError('ERR_TARGET', 'is no target', { field, value: change, fix }))
    } else if (change === null || typeof change !== 'object' || Array.isArray(change)) {
      const fix = 'write its fields, e.g. { target: 40 }'
      problems.push(new GauntletError('ERR_TARGET', `got ${shown(change)}`, { field, value: change, fix }))
    } else {
      problems.push(...fixedFieldProblems(known, change as Record<string, unknown>, field))
      const whole = { ...known, ...change }
      const wrong = schemaProblems(TargetSchema, whole, field, 'ERR_TARGET', '.')
      problems.push(...wrong)
      if (wrong.length === 0) merged[name] = whole
    }
  }
  raise(problems)
  return merged
}

/**
 * One target with its name.
 * @throws GauntletError ERR_TARGET where there is none of that name
 */
export function targetNamed(targets: Targets, name: string): NamedTarget {
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined
  if (target === undefined) {
    throw new GauntletError('ERR_TARGET', 'is no target', {
      field: name,
      fix: `use one of ${Object.keys(targets).join(', ')}`,
    })
  }
  return { ...target, name }
}

/**
 * Entries for the targets that no scenario of a suite measured: `Results.notMeasured`.
 * @param earlier what benchmarks measured before, by the name of the target
 */
export function notMeasuredOf(
  targets: Targets,
  scenarios: readonly Pick<ScenarioResult, 'judgements'>[],
  judgements: Results['judgements'] = [],
  earlier: ReadonlyMap<string, EarlierFigure> = new Map(),
): readonly ThresholdResult[] {
  const measured = new Set(
    [...scenarios.flatMap((scenario) => scenario.judgements), ...judgements]
      .filter((judgement) => judgement.kind === 'threshold')
      .map((judgement) => judgement.name),
  )
  return Object.keys(targets)
    .filter((name) => !measured.has(name))
    .map((name) => notMeasured(targetNamed(targets, name), earlier.get(name)))
}

function fixedFieldProblems(
  known: Target,
  change: Readonly<Record<string, unknown>>,
  field: string,
): readonly GauntletError[] {
  return Object.entries(change).flatMap(([key, value]) => {
    const fixed = Object.hasOwn(known, key) && !(changeable as readonly string[]).includes(key)
    const before = known[key as keyof Target]
    if (!fixed || value === before) return []
    return new GauntletError('ERR_TARGET', `got ${shown(value)}`, {
      field: `${field}.${key}`,
      value,
      fix: `leave it at ${before}: the scenario measures that; change ${changeable.join(', ')}`,
    })
  })
}

function parseText(text: string, file: string): unknown {
  // `uniqueKeys` is the default: a target written twice is refused. No aliases: they can grow without limit.
  const document = parseDocument(text, { prettyErrors: true })
  raise(
    document.errors.map(
      (error) =>
        new GauntletError('ERR_CONFIG_SYNTAX', error.message.split('\n')[0] ?? error.message, {
          field: file,
          fix: 'write YAML or JSON',
        }),
    ),
  )
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw new GauntletError('ERR_CONFIG_SYNTAX', 'uses an alias', { field: file, fix: 'write it out', cause })
  }
}
