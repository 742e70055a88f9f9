// /flows: storing a flow with its diagnostics, and reading it back.

import { parseFlow } from '../../wire/flow.ts'
import { diagnose, writeDiagnostics } from '../../wire/flow-diagnostics.ts'
import { ShapeError } from '../../wire/flow-expression.ts'
import { kindOf, members } from '../../wire/json.ts'
import type { BlobStore } from '../store/blobs.ts'
import { jsonError, readJsonBody, shapeError } from './errors.ts'
import type { ApiReply, ApiRequest, ApiRoute } from './server.ts'

export function flowRoutes(blobs: BlobStore): ApiRoute[] {
  return [
    { method: 'POST', path: '/api/v1/flows', handle: (request) => storeFlow(blobs, request) },
    {
      method: 'GET',
      path: '/api/v1/flows/:',
      handle: ({ parameters: [id = ''] }) => getFlow(blobs, id),
    },
  ]
}

function storeFlow(blobs: BlobStore, request: ApiRequest): ApiReply {
  const read = readJsonBody(request)
  if ('refusal' in read) return read.refusal
  const fields = new Map(members(read.json))
  const document = fields.get('flow')
  if (document === undefined) return shapeError('missing field `flow`')
  const dryRun = fields.get('dryRun') ?? 'false'
  if (dryRun !== 'true' && dryRun !== 'false') {
    return shapeError(`dryRun: invalid type: ${kindOf(dryRun as typeof document)}, expected a boolean`)
  }
  try {
    const flow = parseFlow(document, 'flow')
    const diagnostics = diagnose(flow)
    const stored = dryRun === 'false' && !diagnostics.some((one) => one.level === 'fatal')
    if (stored) blobs.putFlow(flow)
    return {
      status: 200,
      body: `{"flowId":"${flow.id}","stored":${stored},"diagnostics":${writeDiagnostics(diagnostics)}}`,
    }
  } catch (error) {
    if (error instanceof ShapeError) return shapeError(error.message)
    throw error
  }
}

function getFlow(blobs: BlobStore, id: string): ApiReply {
  const blob = blobs.get(id)
  if (blob === undefined) return jsonError(404, 'Flow not found')
  if (blob.flow === null) return jsonError(400, 'Blob is not a flow')
  return { status: 200, body: `{"flow":${blob.flow.json},"flowId":"${id}"}` }
}
