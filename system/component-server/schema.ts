// Schemas that users write components with, TypeBox or Standard Schema (zod 4 and others), as one thing.

import type { Static, TSchema } from '@sinclair/typebox'
import { TypeCompiler, type ValueError, ValueErrorType } from '@sinclair/typebox/compiler'
import { rpcCodes } from '../wire/jsonrpc.ts'
import { ComponentError } from './failure.ts'

/** What zod 4, valibot, arktype and others offer (standardschema.dev). */
export interface StandardSchema<Input = unknown, Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** Newer ones tell their JSON Schema, too. */
    readonly jsonSchema?: { readonly input: (options: { target: string }) => unknown }
  }
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export type Schema = TSchema | StandardSchema

/** The type of a value that has passed the schema. */
export type Passed<S extends Schema> = S extends TSchema
  ? Static<S>
  : S extends StandardSchema<infer _Input, infer Output>
    ? Output
    : never

/**
 * Checks a value: gives what `run` gets, which a Standard Schema may have changed, or a promise of it.
 * @throws ComponentError -32002 naming each wrong field
 */
export type Reader = (value: unknown) => unknown

/** Problems named in one error at most; the rest are counted. */
const maxProblems = 5

export function isStandard(schema: Schema): schema is StandardSchema {
  return '~standard' in schema
}

export function readerOf(schema: Schema): Reader {
  return isStandard(schema) ? standardReader(schema) : typeBoxReader(schema)
}

/** The JSON Schema that is told of it; `{}` where it knows none. */
export function jsonSchemaOf(schema: Schema): object {
  if (!isStandard(schema)) return schema
  const json = schema['~standard'].jsonSchema?.input({ target: 'draft-2020-12' })
  return typeof json === 'object' && json !== null ? json : {}
}

function typeBoxReader(schema: TSchema): Reader {
  const compiled = TypeCompiler.Compile(schema)
  return (value) => {
    if (compiled.Check(value)) return value
    throw invalid([...compiled.Errors(value)].map(typeBoxProblem))
  }
}

function standardReader(schema: StandardSchema): Reader {
  const { validate } = schema['~standard']
  const take = (result: StandardResult<unknown>): unknown => {
    if (result.issues === undefined) return result.value
    throw invalid(result.issues.map(({ path = [], message }) => [fieldOf(path.map(keyOf)), message]))
  }
  return (value) => {
    const result = validate(value)
    return result instanceof Promise ? result.then(take) : take(result)
  }
}

/** A field and what is wrong with it. */
type Problem = readonly [field: string, problem: string]

function invalid(problems: readonly Problem[]): ComponentError {
  const first = new Map<string, string>()
  for (const [field, problem] of problems) if (!first.has(field)) first.set(field, problem)
  const named = [...first].slice(0, maxProblems)
  const more = first.size - named.length
  const text = named.map(([field, problem]) => `${field}: ${problem}`).join('; ')
  return new ComponentError(`Invalid input: ${text}${more === 0 ? '' : `; and ${more} more`}`, {
    code: rpcCodes.validation,
    data: { fields: named.map(([field]) => field) },
  })
}

function typeBoxProblem({ path, type, message, value }: ValueError): Problem {
  const parts = path.split('/').slice(1)
  const field = fieldOf(parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')))
  if (type === ValueErrorType.ObjectRequiredProperty) return [field, message]
  const text = JSON.stringify(value) ?? 'nothing'
  return [field, `${message}, got ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`]
}

function keyOf(part: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof part === 'object' ? part.key : part)
}

/** `$.a[0].b` */
function fieldOf(parts: readonly string[]): string {
  return parts.reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part}`), '$')
}
