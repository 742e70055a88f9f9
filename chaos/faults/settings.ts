// A fault's settings against its schema: defaults filled in, every problem named with its field.

import type { TObject } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { GauntletError } from '../../contracts/errors.ts'

/**
 * @returns the settings with defaults
 * @param field where they stand, for the problems
 */
export function settingsOf(
  schema: TObject,
  given: Readonly<Record<string, unknown>>,
  field: string,
): { readonly settings: Readonly<Record<string, unknown>>; readonly problems: readonly GauntletError[] } {
  const filled = Value.Default(schema, Value.Clone(given)) as Record<string, unknown>
  const known = Object.keys(schema.properties)
  const problems: GauntletError[] = []
  const seen = new Set<string>()
  for (const error of Value.Errors(schema, filled)) {
    const name = error.path.split('/')[1] ?? ''
    if (seen.has(name)) continue
    seen.add(name)
    const at = { field: `${field}.${name}`, value: filled[name] }
    if (!known.includes(name)) {
      const fix = known.length === 0 ? 'leave it out: there are none' : `use ${known.join(', ')}`
      problems.push(new GauntletError('ERR_CONFIG_FIELD', 'is no setting of this fault', { ...at, fix }))
    } else if (filled[name] === undefined) {
      problems.push(new GauntletError('ERR_CONFIG_FIELD', 'is missing', { ...at, fix: 'set it' }))
    } else {
      const got = `got ${JSON.stringify(filled[name])}`
      problems.push(
        new GauntletError('ERR_CONFIG_RANGE', got, { ...at, fix: `use ${describe(schema, name)}` }),
      )
    }
  }
  return { settings: filled, problems }
}

/** What a setting takes, in words, e.g. `a whole number from 1 to 64`. */
export function describe(schema: TObject, name: string): string {
  const { type, minimum, maximum, anyOf } = schema.properties[name] as {
    readonly type?: string
    readonly minimum?: number
    readonly maximum?: number
    readonly anyOf?: readonly { readonly const?: unknown }[]
  }
  if (anyOf !== undefined) return anyOf.map((one) => String(one.const)).join(', ')
  const range = `${minimum === undefined ? '' : ` from ${minimum}`}${maximum === undefined ? '' : ` to ${maximum}`}`
  if (type === 'integer') return `a whole number${range}`
  return type === 'number' ? `a number${range}` : `a ${type ?? 'value'}`
}
