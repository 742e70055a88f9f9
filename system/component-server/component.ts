// A component: its name, its schemas, and the function that runs; built from what a user writes.

import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler, ValueErrorType } from '@sinclair/typebox/compiler'
import { GauntletError } from '../../contracts/errors.ts'
import { rpcCodes } from '../wire/jsonrpc.ts'
import type { Context } from './context.ts'
import { ComponentError } from './failure.ts'
import { hasDeepRaw, type RawPlaces, rawPlaces } from './raw-json.ts'

/** What a user writes. `I` and `O` are TypeBox schemas. */
export interface ComponentSpec<I extends TSchema, O extends TSchema> {
  /** e.g. `double`; a flow calls it by its route, say `/python/double`. */
  readonly name: string
  readonly description?: string
  readonly input: I
  /** Told to whoever lists components; not checked. Default: anything. */
  readonly output?: O
  /**
   * Whether calls answer with a stream on which the component can call the runtime back. Default: whether
   * `run` has a second parameter.
   */
  readonly context?: boolean
  /** Runs one call; what it throws is the call's error. */
  run(input: Static<I>, context: Context): Static<O> | Promise<Static<O>>
}

/** A component as the server calls it. */
export interface Component {
  readonly kind: 'component'
  /** `/double` */
  readonly path: string
  readonly description: string | null
  readonly inputSchema: object
  readonly outputSchema: object
  readonly context: boolean
  /** Members of the input, or all of it, that `run` gets as RawJson. */
  readonly raw: RawPlaces
  /** Whether the output may hold RawJson. */
  readonly rawOutput: boolean
  /** @throws ComponentError -32002 naming each wrong field */
  check(input: unknown): void
  run(input: never, context: Context): unknown
}

/** Problems named in one validation error at most; the rest are counted. */
const maxProblems = 5

/**
 * Makes a component of a user's own.
 * @throws GauntletError ERR_COMPONENT where the definition cannot work
 *
 * @example
 * export const shout = component({
 *   name: 'shout',
 *   input: Type.Object({ text: Type.String() }),
 *   output: Type.Object({ result: Type.String() }),
 *   run: ({ text }) => ({ result: text.toUpperCase() }),
 * })
 */
export function component<I extends TSchema, O extends TSchema>(spec: ComponentSpec<I, O>): Component {
  const path = pathOf(spec.name)
  if (typeof spec.run !== 'function') {
    throw new GauntletError('ERR_COMPONENT', 'is missing', { field: `${path} run`, fix: 'write run(input)' })
  }
  if (typeof spec.input !== 'object' || spec.input === null) {
    throw new GauntletError('ERR_COMPONENT', 'is missing', {
      field: `${path} input`,
      fix: 'write a TypeBox schema, e.g. Type.Object({})',
    })
  }
  const output = spec.output ?? Type.Unknown()
  if (hasDeepRaw(spec.input)) {
    throw new GauntletError('ERR_COMPONENT', 'has Raw() below its members', {
      field: `${path} input`,
      fix: 'use Raw() for the whole input or for one of its members',
    })
  }
  return {
    kind: 'component',
    path,
    description: spec.description ?? null,
    inputSchema: spec.input,
    outputSchema: output,
    context: spec.context ?? spec.run.length >= 2,
    raw: rawPlaces(spec.input),
    rawOutput: rawPlaces(output).length > 0 || hasDeepRaw(output),
    check: checkerOf(spec.input),
    run: spec.run.bind(spec) as Component['run'],
  }
}

function pathOf(name: unknown): string {
  if (typeof name === 'string' && /^\/?\w[\w.-]*(\/\w[\w.-]*)*$/.test(name)) {
    return name.startsWith('/') ? name : `/${name}`
  }
  throw new GauntletError('ERR_COMPONENT', `got ${JSON.stringify(name)}`, {
    field: 'name',
    value: name,
    fix: 'use letters, digits, _ . - and / between, e.g. double or math/double',
  })
}

function checkerOf(schema: TSchema): (input: unknown) => void {
  const compiled = TypeCompiler.Compile(schema)
  return (input) => {
    if (compiled.Check(input)) return
    const problems = new Map<string, string>()
    let more = 0
    for (const error of compiled.Errors(input)) {
      const field = fieldOf(error.path)
      if (problems.has(field)) continue
      if (problems.size === maxProblems) more++
      else problems.set(field, error.message + got(error.type, error.value))
    }
    const text = [...problems].map(([field, problem]) => `${field}: ${problem}`).join('; ')
    throw new ComponentError(`Invalid input: ${text}${more === 0 ? '' : `; and ${more} more`}`, {
      code: rpcCodes.validation,
      data: { fields: [...problems.keys()] },
    })
  }
}

/** `/a/0/b` as `$.a[0].b`. */
function fieldOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part}`), '$')
}

function got(type: ValueErrorType, value: unknown): string {
  if (type === ValueErrorType.ObjectRequiredProperty) return ''
  const text = JSON.stringify(value) ?? 'nothing'
  return `, got ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`
}
