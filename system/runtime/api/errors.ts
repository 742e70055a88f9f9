// Reads requests and refuses them in the two shapes of the wire: JSON of handlers, plain text of what reads them.

import type { TObject, TSchema } from '@sinclair/typebox'
import { type Json, JsonSyntaxError, lastHadDuplicates, parseJson } from '../../wire/json.ts'
import { findDuplicate, locate } from '../../wire/json-locate.ts'
import { type Place, readShape, ShapeError } from '../../wire/json-shape.ts'
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
  return shaped(request, () => {
    const json = parseJson(request.body)
    if (lastHadDuplicates()) {
      const twice = findDuplicate(request.body, (place, key) => hasField(schema, place, key))
      if (twice !== null) throw new ShapeError(twice, `duplicate field \`${twice.at(-1)}\``, 'key')
    }
    return readShape(schema, json, [])
  })
}

/** Runs `read`; what is wrong with the body is refused with line and column, where those are the sender's. */
export function shaped<T>({ body, converted }: ApiRequest, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      const { problem, line, column } = error
      throw refuseText(
        400,
        `Failed to parse the request body as JSON: ${problem} at line ${line} column ${column}`,
      )
    }
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

/** Whether the schema declares the field `key` of the object at `place`. */
function hasField(schema: TSchema, place: Place, key: string): boolean {
  let at: TSchema | undefined = schema
  for (const part of place) {
    at = inner(at)
    at = typeof part === 'number' ? (at?.['items'] as TSchema | undefined) : at?.['properties']?.[part]
  }
  const properties = inner(at)?.['properties'] as object | undefined
  return properties !== undefined && Object.hasOwn(properties, key)
}

function inner(schema: TSchema | undefined): TSchema | undefined {
  return (schema?.['anyOf'] as readonly TSchema[] | undefined)?.[0] ?? schema
}
