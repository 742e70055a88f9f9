// A component: its name, its schemas, and the function that runs; built from what a user writes.

import { Type } from '@sinclair/typebox'
import { GauntletError } from '../../contracts/errors.ts'
import type { Context } from './context.ts'
import { hasDeepRaw, type RawPlaces, rawPlaces } from './raw-json.ts'
import { isStandard, jsonSchemaOf, type Passed, type Reader, readerOf, type Schema } from './schema.ts'

/** What a user writes. `I` and `O` are TypeBox schemas, or those of zod and other Standard Schemas. */
export interface ComponentSpec<I extends Schema, O extends Schema> {
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
  run(input: Passed<I>, context: Context): Passed<O> | Promise<Passed<O>>
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
  /** Checks an input and gives what `run` gets. */
  readonly read: Reader
  run(input: never, context: Context): unknown
}

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
export function component<I extends Schema, O extends Schema>(spec: ComponentSpec<I, O>): Component {
  const path = pathOf(spec.name)
  if (typeof spec.run !== 'function') {
    throw new GauntletError('ERR_COMPONENT', 'is missing', { field: `${path} run`, fix: 'write run(input)' })
  }
  if (typeof spec.input !== 'object' || spec.input === null) {
    throw new GauntletError('ERR_COMPONENT', 'is missing', {
      field: `${path} input`,
      fix: 'write a TypeBox or zod schema, e.g. Type.Object({})',
    })
  }
  const input: Schema = spec.input
  const output: Schema = spec.output ?? Type.Unknown()
  if (!isStandard(input) && hasDeepRaw(input)) {
    throw new GauntletError('ERR_COMPONENT', 'has Raw() below its members', {
      field: `${path} input`,
      fix: 'use Raw() for the whole input or for one of its members',
    })
  }
  return {
    kind: 'component',
    path,
    description: spec.description ?? null,
    inputSchema: jsonSchemaOf(input),
    outputSchema: jsonSchemaOf(output),
    context: spec.context ?? spec.run.length >= 2,
    raw: isStandard(input) ? [] : rawPlaces(input),
    rawOutput: !isStandard(output) && (rawPlaces(output).length > 0 || hasDeepRaw(output)),
    read: readerOf(input),
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
