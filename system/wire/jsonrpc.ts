// JSON-RPC 2.0 messages: text to envelope and back. Ids, params and results stay JSON text.

import { GauntletError } from '../../contracts/errors.ts'
import { type Json, kindOf, members, parseJson, quote, unquote } from './json.ts'

/** An id as JSON text, so that a string stays a string and a number a number: `"a-1"`, `7`. */
export type RpcId = Json

export interface RpcRequest {
  readonly kind: 'request'
  readonly id: RpcId
  readonly method: string
  readonly params: Json | undefined
}

export interface RpcNotification {
  readonly kind: 'notification'
  readonly method: string
  readonly params: Json | undefined
}

export interface RpcResult {
  readonly kind: 'result'
  readonly id: RpcId
  readonly result: Json
}

export interface RpcFailure {
  readonly kind: 'error'
  readonly id: RpcId
  readonly error: RpcError
}

export type RpcMessage = RpcRequest | RpcNotification | RpcResult | RpcFailure

export interface RpcError {
  readonly code: number
  readonly message: string
  /** JSON text; absent where the error has none. */
  readonly data?: Json
}

/** Codes of JSON-RPC and of Stepflow's protocol. */
export const rpcCodes = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  generic: -32000,
  componentNotFound: -32001,
  validation: -32002,
  execution: -32003,
  runtime: -32004,
  value: -32005,
  notFound: -32011,
  invalidValue: -32012,
} as const

/**
 * Reads one message. Unknown fields are ignored; the order of fields does not matter.
 * @throws JsonSyntaxError where `text` is not JSON
 * @throws GauntletError ERR_RPC_MESSAGE where it is no JSON-RPC 2.0 message
 */
export function decodeMessage(text: string): RpcMessage {
  const json = parseJson(text)
  if (kindOf(json) !== 'object') throw bad('message', `is of type ${kindOf(json)}`, 'send an object')
  let id: Json | undefined
  let method: Json | undefined
  let params: Json | undefined
  let result: Json | undefined
  let error: Json | undefined
  let version: Json | undefined
  for (const [key, value] of members(json)) {
    if (key === 'jsonrpc') version = value
    else if (key === 'id') id = value
    else if (key === 'method') method = value
    else if (key === 'params') params = value
    else if (key === 'result') result = value
    else if (key === 'error') error = value
  }
  if (version !== '"2.0"') throw bad('jsonrpc', `got ${version ?? 'nothing'}`, 'write "2.0"')
  if (id !== undefined && kindOf(id) !== 'string' && kindOf(id) !== 'number' && id !== 'null') {
    throw bad('id', `is of type ${kindOf(id)}`, 'use a string or an integer')
  }
  if (method !== undefined) {
    if (kindOf(method) !== 'string') throw bad('method', `is of type ${kindOf(method)}`, 'use a string')
    return id === undefined
      ? { kind: 'notification', method: unquote(method), params }
      : { kind: 'request', id, method: unquote(method), params }
  }
  if (id === undefined) throw bad('id', 'is missing', 'echo the id of the request')
  if ((result === undefined) === (error === undefined)) {
    throw bad('result', 'must stand alone or give way to `error`', 'send exactly one of the two')
  }
  return error === undefined
    ? { kind: 'result', id, result: result as Json }
    : { kind: 'error', id, error: decodeError(error) }
}

function decodeError(json: Json): RpcError {
  const fields = new Map(members(json))
  const code = Number(fields.get('code'))
  const message = fields.get('message')
  const data = fields.get('data')
  if (!Number.isInteger(code)) throw bad('error.code', 'is missing or no integer', 'use an integer')
  if (message === undefined || kindOf(message) !== 'string') {
    throw bad('error.message', 'is missing or no string', 'use a string')
  }
  return {
    code,
    message: unquote(message),
    ...(data === undefined || data === 'null' ? {} : { data }),
  }
}

function bad(field: string, problem: string, fix: string): GauntletError {
  return new GauntletError('ERR_RPC_MESSAGE', problem, { field, fix })
}

export function encodeRequest(id: RpcId, method: string, params: Json): Json {
  return `{"jsonrpc":"2.0","id":${id},"method":${quote(method)},"params":${params}}` as Json
}

export function encodeNotification(method: string, params: Json): Json {
  return `{"jsonrpc":"2.0","method":${quote(method)},"params":${params}}` as Json
}

export function encodeResult(id: RpcId, result: Json): Json {
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}` as Json
}

/** `data` is written as null where the error has none, as Stepflow does. */
export function encodeError(id: RpcId | null, error: RpcError): Json {
  const { code, message, data } = error
  return `{"jsonrpc":"2.0","id":${id ?? 'null'},"error":{"code":${code},"message":${quote(message)},"data":${data ?? 'null'}}}` as Json
}
