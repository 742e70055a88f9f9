// /flows: storing a flow with its diagnostics, reading it back, removing it.

import { parseFlow } from '../../wire/flow.ts'
import { diagnose, writeDiagnostics } from '../../wire/flow-diagnostics.ts'
import { flowSchema } from '../../wire/flow-schema.ts'
import { arrayOf, type Json, member, objectOf, quote } from '../../wire/json.ts'
import { YamlError, yamlToJson } from '../../wire/json-yaml.ts'
import type { BlobStore } from '../store/blobs.ts'
import type { RunStore } from '../store/runs.ts'
import { readBody, refuse, refuseText, shaped } from './errors.ts'
import { errorResponse, flowResponse, storeFlowRequest, storeFlowResponse } from './schemas.ts'
import type { ApiReply, ApiRequest, ApiRoute } from './server.ts'

export function flowRoutes(blobs: BlobStore, runs: Pick<RunStore, 'isFlowAtWork'>): ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/flows',
      handle: (request) => storeFlow(blobs, request),
      docs: {
        operation: 'store_flow',
        summary:
          'Store a flow, or only check it; with `Content-Type: application/yaml` the document may be YAML',
        body: storeFlowRequest,
        yaml: flowSchema,
        replies: { 200: storeFlowResponse },
      },
    },
    {
      method: 'GET',
      path: '/api/v1/flows/:',
      handle: ({ parameters: [id = ''] }) => getFlow(blobs, id),
      docs: {
        operation: 'get_flow',
        summary: 'A stored flow in normal form',
        path: ['flow_id'],
        replies: { 200: flowResponse, 400: errorResponse, 404: errorResponse },
      },
    },
    {
      method: 'DELETE',
      path: '/api/v1/flows/:',
      handle: ({ parameters: [id = ''] }) => deleteFlow(blobs, runs, id),
      docs: {
        operation: 'delete_flow',
        summary: 'Remove a flow that no run works on',
        path: ['flow_id'],
        replies: { 204: 'Removed', 404: errorResponse, 409: errorResponse },
      },
    },
  ]
}

function storeFlow(blobs: BlobStore, sent: ApiRequest): ApiReply {
  const request = isYaml(sent) ? fromYaml(sent) : sent
  const fields = readBody(request, storeFlowRequest)
  const flow = shaped(request, () => parseFlow(fields.get('flow') as Json, ['flow']))
  const diagnostics = diagnose(flow)
  const stored = fields.get('dryRun') !== 'true' && !diagnostics.some((one) => one.level === 'fatal')
  if (stored) blobs.putFlow(flow)
  return {
    status: 200,
    body: `{"flowId":"${flow.id}","stored":${stored},"diagnostics":${writeDiagnostics(diagnostics)}}`,
  }
}

function isYaml({ headers }: ApiRequest): boolean {
  return /^\s*(?:application|text)\/(?:x-)?yaml\s*(?:;|$)/i.test(headers.get('content-type') ?? '')
}

/**
 * The request as JSON. Its YAML is the request's own fields, or the flow document itself, which has no `flow`.
 * @throws Refusal
 */
function fromYaml(request: ApiRequest): ApiRequest {
  if (request.notUtf8 !== undefined) {
    throw refuseText(400, 'Failed to parse the request body as YAML: invalid unicode code point')
  }
  let json: Json
  try {
    json = yamlToJson(request.body)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw refuseText(400, `Failed to parse the request body as YAML: ${error.message}`)
  }
  const body = member(json, 'flow') === undefined ? `{"flow":${json}}` : json
  const headers = new Map(request.headers).set('content-type', 'application/json')
  return { ...request, headers, body, converted: true }
}

function getFlow(blobs: BlobStore, id: string): ApiReply {
  const blob = blobs.get(id)
  if (blob === undefined) throw refuse(404, 'Flow not found', false)
  if (blob.flow === null) throw refuse(400, 'Blob is not a flow', false)
  const { allExamples, json } = blob.flow
  return {
    status: 200,
    body: objectOf([
      ['flow', json],
      ['flowId', quote(id)],
      ['allExamples', allExamples.length === 0 ? undefined : arrayOf(allExamples)],
    ]),
  }
}

function deleteFlow(blobs: BlobStore, runs: Pick<RunStore, 'isFlowAtWork'>, id: string): ApiReply {
  if (blobs.get(id)?.flow == null) throw refuse(404, 'Flow not found', false)
  if (runs.isFlowAtWork(id)) throw refuse(409, 'Flow has active runs', false)
  blobs.delete(id)
  return { status: 204, body: '' }
}
