// What components may ask of the runtime on their streams: blobs.

import { ShapeError } from '../wire/flow-expression.ts'
import { type Json, jsonNull, kindOf, members, unquote } from '../wire/json.ts'
import { rpcCodes } from '../wire/jsonrpc.ts'
import type { CallbackAnswer, CallbackHandler } from './plugins/stepflow/call.ts'
import type { BlobStore } from './store/blobs.ts'

type Method = (params: ReadonlyMap<string, Json>) => CallbackAnswer | Promise<CallbackAnswer>

export interface CallbackParts {
  readonly blobs: BlobStore
}

export function createCallbacks(parts: CallbackParts): CallbackHandler {
  const methods: Readonly<Record<string, Method>> = {
    'blobs/put': (params) => putBlob(parts.blobs, params),
    'blobs/get': (params) => getBlob(parts.blobs, params),
  }
  return (method, params) => {
    const handle = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (handle === undefined) return failed(rpcCodes.methodNotFound, `Method not found: ${method}`)
    try {
      return handle(new Map(members(params ?? jsonNull)))
    } catch (error) {
      if (error instanceof BadParams) {
        return failed(rpcCodes.invalidParams, `Invalid parameters for request ${method}`)
      }
      throw error
    }
  }
}

class BadParams extends Error {}

function putBlob(blobs: BlobStore, params: ReadonlyMap<string, Json>): CallbackAnswer {
  const data = params.get('data')
  const type = params.get('blob_type')
  if (data === undefined || (type !== '"data"' && type !== '"flow"')) throw new BadParams()
  try {
    const id = blobs.put(data, type === '"flow"' ? 'flow' : 'data')
    return { result: `{"blob_id":"${id}"}` as Json }
  } catch (error) {
    if (error instanceof ShapeError) return failed(rpcCodes.generic, 'Failed to put blob')
    throw error
  }
}

function getBlob(blobs: BlobStore, params: ReadonlyMap<string, Json>): CallbackAnswer {
  const id = params.get('blob_id')
  if (id === undefined || kindOf(id) !== 'string') throw new BadParams()
  const blob = blobs.get(unquote(id))
  if (blob === undefined) return failed(rpcCodes.generic, 'Failed to get blob')
  return { result: `{"data":${blob.data},"blob_type":"${blob.type}"}` as Json }
}

function failed(code: number, message: string): CallbackAnswer {
  return { error: { code, message } }
}
