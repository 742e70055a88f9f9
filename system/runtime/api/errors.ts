// Error answers in the two shapes of the wire: JSON of handlers, plain text of what reads requests.

import { type Json, JsonSyntaxError, kindOf, parseJson } from '../../wire/json.ts'
import type { ApiReply, ApiRequest } from './server.ts'

/** `{"code","message","stack"?}`; with `stack` the message is repeated there, as Stepflow does. */
export function jsonError(status: number, message: string, stack = false): ApiReply {
  return {
    status,
    body: JSON.stringify({ code: status, message, ...(stack ? { stack: [{ error: message }] } : {}) }),
  }
}

export function textError(status: number, body: string): ApiReply {
  return { status, body, type: 'text/plain; charset=utf-8' }
}

export function shapeError(message: string): ApiReply {
  return textError(422, `Failed to deserialize the JSON body into the target type: ${message}`)
}

/** The body as a JSON object, or the answer that refuses it. */
export function readJsonBody(request: ApiRequest): { readonly json: Json } | { readonly refusal: ApiReply } {
  const type = request.headers['content-type'] ?? ''
  if (!/^\s*application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    return { refusal: textError(415, 'Expected request with `Content-Type: application/json`') }
  }
  try {
    const json = parseJson(request.body)
    if (kindOf(json) === 'object') return { json }
    return { refusal: shapeError(`invalid type: ${kindOf(json)}, expected a map`) }
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    const { problem, line, column } = error
    return {
      refusal: textError(
        400,
        `Failed to parse the request body as JSON: ${problem} at line ${line} column ${column}`,
      ),
    }
  }
}
