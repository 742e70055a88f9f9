// Checks JSON text against a schema, with the words of Stepflow's parser: one schema validates and documents.

import { Kind, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { elements, type Json, kindOf, members, unquote } from './json.ts'

/** Where a value stands in a document: `['flow', 'steps', 0, 'id']`. */
export type Place = readonly (string | number)[]

/** Which end of the value at the place is meant; `key`: the second of two equal keys. */
export type Edge = 'start' | 'end' | 'after' | 'key'

/** A document of the wrong shape. */
export class ShapeError extends Error {
  readonly place: Place
  readonly problem: string
  readonly edge: Edge

  constructor(place: Place, problem: string, edge: Edge) {
    super(place.length === 0 ? problem : `${writePlace(place)}: ${problem}`)
    this.name = 'ShapeError'
    this.place = place
    this.problem = problem
    this.edge = edge
  }
}

/** `flow.steps[0].id` */
export function writePlace(place: Place): string {
  let text = ''
  for (const part of place) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}

/** A schema whose check is a function of its own: value expressions. */
export function checkedBy(schema: TSchema, check: (json: Json, place: Place) => void): TSchema {
  return { ...schema, [own]: check }
}

const own = Symbol('check')

/** Whether `schema` has a check of its own, so that its properties only describe. */
export function isChecked(schema: TSchema): boolean {
  return own in schema
}

/** A value or null; where Stepflow takes null for "not given". */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}

/** One of these texts. */
export function oneOf<const T extends readonly string[]>(names: T, options: object = {}) {
  return Type.Unsafe<T[number]>({ [Kind]: 'String', type: 'string', enum: names, ...options })
}

/**
 * Fields are looked at in the order of the document, missing ones afterwards; unknown fields are fine.
 * @throws ShapeError at the first that does not fit
 */
export function checkShape(schema: TSchema, json: Json, place: Place): void {
  const check = (schema as { [own]?: (json: Json, place: Place) => void })[own]
  if (check !== undefined) {
    check(json, place)
    return
  }
  const choices = schema['anyOf'] as readonly TSchema[] | undefined
  if (choices !== undefined) {
    const tag = schema['discriminator'] as string | undefined
    if (tag !== undefined) checkTagged(schema, choices, tag, json, place)
    else if (json !== 'null') checkShape(choices[0] as TSchema, json, place)
    return
  }
  switch (schema['type']) {
    case 'object':
      if (schema['properties'] !== undefined) checkFields(schema as TObject, json, place)
      else checkMap(schema, json, place)
      return
    case 'array':
      if (kindOf(json) !== 'array') throw wrongType(place, json, 'a sequence')
      for (const [index, item] of elements(json).entries()) {
        checkShape(schema['items'] as TSchema, item, [...place, index])
      }
      return
    case 'string': {
      const names = schema['enum'] as readonly string[] | undefined
      if (names !== undefined) checkName(names, json, place, schema['expecting'] as string | undefined)
      else if (kindOf(json) !== 'string') throw wrongType(place, json, 'a string')
      return
    }
    case 'boolean':
      if (kindOf(json) !== 'boolean') throw wrongType(place, json, 'a boolean')
      return
    case 'integer':
      checkCount(json, place, (schema['expecting'] as string | undefined) ?? 'usize')
      return
    default:
      return
  }
}

/**
 * The declared fields of an object that has been checked, by name.
 * @throws ShapeError
 */
export function readShape(schema: TObject, json: Json, place: Place): Map<string, Json> {
  return checkFields(schema, json, place)
}

function checkFields(schema: TObject, json: Json, place: Place): Map<string, Json> {
  const name = schema.title ?? 'a map'
  if (kindOf(json) !== 'object') throw wrongType(place, json, `struct ${name}`)
  const fields = new Map<string, Json>()
  for (const [key, value] of members(json)) {
    const field = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    if (field === undefined) continue
    fields.set(key, value)
    if (!fitsAtOnce(field, value)) checkShape(field, value, [...place, key])
  }
  for (const key of schema.required ?? []) {
    if (!fields.has(key)) throw new ShapeError(place, `missing field \`${key}\``, 'end')
  }
  return fields
}

/** The common cases without building a place: any value, and a text. */
function fitsAtOnce(schema: TSchema, json: Json): boolean {
  const { type } = schema
  if (type === 'string') return schema['enum'] === undefined && json.charCodeAt(0) === 0x22
  return type === undefined && schema['anyOf'] === undefined && !(own in schema)
}

function checkMap(schema: TSchema, json: Json, place: Place): void {
  if (kindOf(json) !== 'object') throw wrongType(place, json, 'a map')
  const values = Object.values((schema['patternProperties'] ?? {}) as Record<string, TSchema>)[0]
  if (values === undefined) return
  for (const [key, value] of members(json)) checkShape(values, value, [...place, key])
}

function checkName(
  names: readonly string[],
  json: Json,
  place: Place,
  expecting = 'variant identifier',
): void {
  const name = variantOf(json, place, expecting)
  if (names.includes(name)) return
  throw new ShapeError(place, unknownVariant(name, names), 'end')
}

/** Where a map is fine too, its only key is the name. */
function variantOf(json: Json, place: Place, expecting: string): string {
  if (kindOf(json) === 'object' && expecting === 'string or map') {
    const [only, ...more] = members(json)
    if (only !== undefined && more.length === 0) return only[0]
    throw new ShapeError(place, 'invalid value: map, expected map with a single key', 'end')
  }
  if (kindOf(json) !== 'string') throw wrongType(place, json, expecting)
  return unquote(json)
}

/** `unknown variant `x`, expected `a` or `b``, in the words of Stepflow's parser. */
export function unknownVariant(name: string, names: readonly string[]): string {
  const quoted = names.map((known) => `\`${known}\``)
  const expected = quoted.length === 2 ? quoted.join(' or ') : `one of ${quoted.join(', ')}`
  return `unknown variant \`${name}\`, expected ${expected}`
}

function checkTagged(
  schema: TSchema,
  choices: readonly TSchema[],
  tag: string,
  json: Json,
  place: Place,
): void {
  if (kindOf(json) !== 'object') throw wrongType(place, json, `internally tagged enum ${schema.title ?? ''}`)
  const found = members(json).find(([key]) => key === tag)
  if (found === undefined) throw new ShapeError(place, `missing field \`${tag}\``, 'end')
  const tagOf = (choice: TSchema): string => String((choice as TObject).properties[tag]?.['const'])
  const at = [...place, tag]
  checkName(choices.map(tagOf), found[1], at)
  checkShape(choices.find((choice) => tagOf(choice) === unquote(found[1])) as TSchema, json, place)
}

function checkCount(json: Json, place: Place, expecting: string): void {
  if (kindOf(json) !== 'number' || /[.e]/.test(json)) throw wrongType(place, json, expecting)
  if (expecting === 'i64') {
    if (BigInt(json) >= 2n ** 63n) throw badValue(place, json, expecting)
    return
  }
  if (json.startsWith('-') || (expecting === 'u32' && Number(json) > 0xffff_ffff)) {
    throw badValue(place, json, expecting)
  }
}

function badValue(place: Place, json: Json, expected: string): ShapeError {
  return new ShapeError(place, `invalid value: ${describe(json)}, expected ${expected}`, 'end')
}

/** `invalid type: map, expected a sequence` */
export function wrongType(place: Place, json: Json, expected: string, at?: Edge): ShapeError {
  const kind = kindOf(json)
  const edge = at ?? (kind === 'object' || kind === 'array' ? 'start' : 'end')
  return new ShapeError(place, `invalid type: ${describe(json)}, expected ${expected}`, edge)
}

const debugEscapes: ReadonlyMap<string, string> = new Map([
  ...([
    ['"', '\\"'],
    ['\\', '\\\\'],
    ['\n', '\\n'],
    ['\r', '\\r'],
    ['\t', '\\t'],
    ['\0', '\\0'],
  ] as const),
])

/** A text in quotes as Rust's `{:?}` shows it, which Stepflow's messages use: what cannot be seen as `\u{7f}`. */
function debugQuote(text: string): string {
  const shown = text.replace(/["\\\p{C}\p{Zl}\p{Zp}\p{M}]|(?! )\p{Zs}/gu, (mark) => {
    return debugEscapes.get(mark) ?? `\\u{${mark.codePointAt(0)?.toString(16)}}`
  })
  return `"${shown}"`
}

export function describe(json: Json): string {
  switch (kindOf(json)) {
    case 'object':
      return 'map'
    case 'array':
      return 'sequence'
    case 'string':
      return `string ${debugQuote(unquote(json))}`
    case 'boolean':
      return `boolean \`${json}\``
    case 'null':
      return 'null'
    case 'number':
      return /[.e]/.test(json) ? `floating point \`${json}\`` : `integer \`${json}\``
  }
}
