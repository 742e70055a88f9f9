// Values against a TypeBox schema: each problem as an error with field, value and fix.

import type { TSchema } from '@sinclair/typebox'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import { type ErrorCode, GauntletError, GauntletErrors } from '../../contracts/errors.ts'

/** Every way in which `value` does not match `schema`, one error for each field. */
export function schemaProblems(
  schema: TSchema,
  value: unknown,
  source: string,
  code: ErrorCode,
  separator = ': ',
): readonly GauntletError[] {
  const fields = new Map<string, GauntletError>()
  for (const error of Value.Errors(schema, value)) {
    const path = error.path.slice(1).replaceAll('/', '.')
    const field = path === '' ? source : `${source}${separator}${path}`
    if (!fields.has(field)) fields.set(field, problemOf(error, field, code))
  }
  return [...fields.values()]
}

function problemOf(error: ValueError, field: string, code: ErrorCode): GauntletError {
  if (error.type === ValueErrorType.ObjectAdditionalProperties) {
    return new GauntletError(code, 'is unknown here', { field, value: error.value, fix: 'remove it' })
  }
  if (error.type === ValueErrorType.ObjectRequiredProperty) {
    return new GauntletError(code, 'is missing', { field, fix: `write ${wanted(error.schema)}` })
  }
  return new GauntletError(code, `got ${shown(error.value)}`, {
    field,
    value: error.value,
    fix: `use ${wanted(error.schema)}`,
  })
}

/** What a schema wants, in a few words. */
function wanted(schema: TSchema): string {
  if (Array.isArray(schema['anyOf'])) return schema['anyOf'].map((one: TSchema) => wanted(one)).join(' or ')
  if (schema['const'] !== undefined) return String(schema['const'])
  if (schema['minimum'] !== undefined) return `a number of at least ${schema['minimum']}`
  if (schema['pattern'] !== undefined) return `text like ${schema['pattern']}`
  return schema['description'] === undefined
    ? `a value of type ${schema['type']}`
    : `text: ${schema['description']}`
}

/** Throws all `problems` as one; returns where there are none. */
export function raise(problems: readonly GauntletError[]): void {
  const [first, ...rest] = problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
}

/** A value as a message shows it: JSON, cut to 60 characters. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
