// JSON that a component passes on without looking into it: its text, so `1.0` and key order survive.

import { Kind, type TSchema, type TUnsafe, Type } from '@sinclair/typebox'
import { arrayOf, fromJson, type Json, objectOf, parseJson, toJson } from '../wire/json.ts'

/** A value kept as JSON text, because JavaScript's own numbers and objects lose `1.0` and key order. */
export class RawJson {
  readonly text: Json

  constructor(text: Json) {
    this.text = text
  }

  /** RawJson of JSON text. @throws GauntletError ERR_JSON_SYNTAX */
  static parse(text: string): RawJson {
    return new RawJson(parseJson(text))
  }

  /** The JavaScript value; loses what JavaScript cannot hold. */
  value(): unknown {
    return fromJson(this.text)
  }

  /** For JSON.stringify, which cannot take text in. */
  toJSON(): unknown {
    return this.value()
  }
}

const rawMark = Symbol('stepflow-gauntlet.raw')

/**
 * The schema of a value the component does not look into: it takes any JSON and hands `run` a RawJson.
 * Stands for the whole input or for one of its members, not deeper.
 */
export function Raw(options: { readonly description?: string } = {}): TUnsafe<RawJson> {
  return Type.Unsafe<RawJson>({ ...Type.Unknown(options), [Kind]: 'Unknown', [rawMark]: true })
}

/** Where a schema has Raw: the whole of it, the names of its members, or nowhere. */
export type RawPlaces = 'whole' | readonly string[]

export function rawPlaces(schema: TSchema): RawPlaces {
  if (isRaw(schema)) return 'whole'
  const properties: unknown = schema['properties']
  if (typeof properties !== 'object' || properties === null) return []
  return Object.entries(properties).flatMap(([name, property]) => (isRaw(property) ? [name] : []))
}

function isRaw(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && rawMark in schema
}

/** Whether Raw stands somewhere that `rawPlaces` does not name. */
export function hasDeepRaw(schema: unknown, depth = 0): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  // The schema itself (0) or `schema.properties.name` (2) are the places that count.
  if (isRaw(schema)) return depth !== 0 && depth !== 2
  return Object.entries(schema).some(([key, inner]) =>
    hasDeepRaw(inner, depth === 0 && key !== 'properties' ? 3 : depth + 1),
  )
}

/** JSON text of a value in which RawJson may stand anywhere. */
export function writeJson(value: unknown): Json {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value)) return arrayOf(value.map(writeJson))
  if (typeof value === 'object' && value !== null && !('toJSON' in value)) {
    return objectOf(
      Object.entries(value).flatMap(([key, member]) =>
        member === undefined || typeof member === 'function' ? [] : [[key, writeJson(member)] as const],
      ),
    )
  }
  return toJson(value)
}
