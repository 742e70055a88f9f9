// Reads requests and refuses them in the two shapes of the wire: JSON of handlers, plain text of what reads them.

import { isUtf8 } from 'node:buffer'
import type { TObject, TSchema } from '@sinclair/typebox'
import { type Json, JsonSyntaxError, lastHadDuplicates, parseJson } from '../../wire/json.ts'
import { findBreak, findDuplicate, locate } from '../../wire/json-locate.ts'
import { isChecked, type Place, readShape, ShapeError, writePlace } from '../../wire/json-shape.ts'
import type { ApiReply, ApiRequest } from './server.ts'

/** A request that cannot be served; handlers throw it, the server answers with `reply`. */
export class Refusal extends Error {
  readonly reply: ApiReply

  constructor(reply: ApiReply) {
    super(reply.body)
    this.name = 'Refusal'
    this.reply = reply
  }
}

/** `{"code","message","stack"?}`; with `stack` the message is repeated there, as Stepflow does. */
export function refuse(status: number, message: string, stack = true, headers?: readonly string[]): Refusal {
  return new Refusal({
    status,
    body: JSON.stringify({ code: status, message, ...(stack ? { stack: [{ error: message }] } : {}) }),
    ...(headers === undefined ? {} : { headers }),
  })
}

/** Plain text: what Stepflow's framework says of a request that it cannot read. */
export function refuseText(status: number, body: string): Refusal {
  return new Refusal({ status, body, type: 'text/plain; charset=utf-8' })
}

/**
 * The fields of the body, which is of `schema`'s shape.
 * @throws Refusal
 */
export function readBody(request: ApiRequest, schema: TObject): Map<string, Json> {
  const type = request.headers.get('content-type') ?? ''
  if (type !== 'application/json' && !/^\s*application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw refuseText(415, 'Expected request with `Content-Type: application/json`')
  }
  if (request.notUtf8 !== undefined) throw refuseBytes(request.notUtf8, schema)
  return shaped(request, () => {
    const json = parseBody(request.body, schema)
    if (lastHadDuplicates()) {
      const twice = findDuplicate(request.body, (place, key) =>
        Object.hasOwn(fieldsAt(schema, place) ?? {}, key),
      )
      if (twice !== null) throw new ShapeError(twice, `duplicate field \`${twice.at(-1)}\``, 'key')
    }
    return readShape(schema, json, [])
  })
}

/** @throws Refusal where the body is not JSON, with the place in which it breaks off */
function parseBody(body: string, schema: TObject): Json {
  try {
    return parseJson(body)
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw refuseBreak(body, schema, error)
  }
}

/** @param body text that breaks off, or goes wrong, where `at` says */
function refuseBreak(
  body: string,
  schema: TObject,
  at: { readonly problem: string; readonly line: number; readonly column: number },
): Refusal {
  const isUnknown = (place: Place, key: string): boolean => {
    const fields = fieldsAt(schema, place)
    return fields !== undefined && !Object.hasOwn(fields, key)
  }
  const place = writePlace(findBreak(body, isUnknown))
  const said = `${place === '' ? '' : `${place}: `}${at.problem} at line ${at.line} column ${at.column}`
  return refuseText(400, `Failed to parse the request body as JSON: ${said}`)
}

const eofInString = 'EOF while parsing a string'

/**
 * A body that is no UTF-8: refused at the end of the string that is none, or where its JSON goes wrong before.
 * @param bytes the body as latin1
 */
function refuseBytes(bytes: string, schema: TObject): Refusal {
  // One character for each byte, as places are counted; JSON's own marks are ASCII.
  const text = bytes.replace(/[\x80-\xff]/g, 'x')
  let cut = text
  for (const { 0: string, index } of text.matchAll(/"(?:[^"\\]|\\.)*"/gs)) {
    const end = index + string.length
    if (isUtf8(Buffer.from(bytes.slice(index, end), 'latin1'))) continue
    cut = text.slice(0, end - 1)
    break
  }
  try {
    parseJson(cut)
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    if (cut === text || error.problem !== eofInString) return refuseBreak(cut, schema, error)
    const { line, column } = error
    return refuseBreak(cut, schema, { problem: 'invalid unicode code point', line, column: column + 1 })
  }
  return refuseText(400, 'Failed to parse the request body as JSON: invalid unicode code point')
}

/** Runs `read`; what is wrong with the body is refused with line and column, where those are the sender's. */
export function shaped<T>({ body, converted }: ApiRequest, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const { line, column } = locate(body, error.place, error.edge)
    const said = error.edge === 'key' ? withoutKey(error) : error.message
    if (converted === true) throw refuseText(422, `The flow does not fit: ${said}`)
    throw refuseText(
      422,
      `Failed to deserialize the JSON body into the target type: ${said} at line ${line} column ${column}`,
    )
  }
}

/** A field that comes twice is said of the object that has it. */
function withoutKey(error: ShapeError): string {
  return new ShapeError(error.place.slice(0, -1), error.problem, 'key').message
}

/** The fields that `schema` declares for the object at `place`; undefined where it may have any. */
function fieldsAt(schema: TSchema, place: Place): Readonly<Record<string, TSchema>> | undefined {
  let at: TSchema | undefined = inner(schema)
  for (const part of place) {
    if (at === undefined) return undefined
    const member = typeof part === 'number' ? at['items'] : (declared(at)?.[part] ?? mapValueOf(at))
    at = inner(member as TSchema | undefined)
  }
  return declared(at)
}

/** What has a check of its own is described by its properties, not held to them. */
function declared(schema: TSchema | undefined): Readonly<Record<string, TSchema>> | undefined {
  return schema === undefined || isChecked(schema) ? undefined : schema['properties']
}

/** The schema of the values of a map. */
function mapValueOf(schema: TSchema): TSchema | undefined {
  return Object.values((schema['patternProperties'] ?? {}) as Record<string, TSchema>)[0]
}

function inner(schema: TSchema | undefined): TSchema | undefined {
  return (schema?.['anyOf'] as readonly TSchema[] | undefined)?.[0] ?? schema
}
