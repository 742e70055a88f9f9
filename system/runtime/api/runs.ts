// /runs: starting runs and waiting for them, looking at them, cancelling and removing them.

import { Type } from '@sinclair/typebox'
import { elements, type Json, kindOf, members, unquote } from '../../wire/json.ts'
import { type Executor, OverloadedError } from '../executor/executor.ts'
import { readOverrides } from '../executor/overrides.ts'
import type { Run } from '../executor/run.ts'
import type { RunView } from '../executor/run-view.ts'
import { readUuid, uuidProblem } from '../ids.ts'
import type { BlobStore } from '../store/blobs.ts'
import type { RunStore } from '../store/runs.ts'
import { readTrace } from '../trace.ts'
import { readBody, refuse, refuseText } from './errors.ts'
import { readChoice, readId, readQuery, readWhole } from './query.ts'
import { writeCreated, writeDetails, writeItems, writeSteps, writeSummary } from './run-text.ts'
import * as schemas from './schemas.ts'
import type { ApiReply, ApiRequest, ApiRoute } from './server.ts'

export interface RunApiParts {
  readonly blobs: BlobStore
  readonly runs: RunStore
  readonly executor: Executor
}

export function runRoutes(parts: RunApiParts): ApiRoute[] {
  const { errorResponse } = schemas
  const errors = { 400: 'Not a UUID', 404: errorResponse }
  const path = ['run_id']
  const ofRun =
    (answer: (run: RunView) => ApiReply) =>
    ({ parameters: [id = ''] }: ApiRequest): ApiReply =>
      answer(findRun(parts.runs, id))
  return [
    {
      method: 'POST',
      path: '/api/v1/runs',
      handle: (request) => createRun(parts, request),
      docs: {
        operation: 'create_run',
        summary: 'Start a run and wait for its end; with `Prefer: respond-async` do not wait',
        headers: {
          prefer: Type.String({
            enum: ['respond-async'],
            description: 'Answer 202 once the run is taken (RFC 7240)',
          }),
          traceparent: Type.String({ description: 'The trace that the run belongs to (W3C Trace Context)' }),
          tracestate: Type.String(),
        },
        body: schemas.createRunRequest,
        replies: {
          200: schemas.createRunResponse,
          202: schemas.createRunResponse,
          404: errorResponse,
          429: errorResponse,
        },
      },
    },
    {
      method: 'GET',
      path: '/api/v1/runs',
      handle: (request) => listRuns(parts.runs, new URLSearchParams(request.query)),
      docs: {
        operation: 'list_runs',
        summary: 'Runs, newest first',
        query: {
          status: Type.String({ enum: [...schemas.runStatuses] }),
          flowName: Type.String(),
          rootRunId: Type.String({ format: 'uuid' }),
          parentRunId: Type.String({ format: 'uuid' }),
          maxDepth: Type.Integer({ minimum: 0, description: '0: root runs only' }),
          limit: Type.Integer({ minimum: 0 }),
          offset: Type.Integer({ minimum: 0 }),
        },
        replies: { 200: schemas.listRunsResponse },
      },
    },
    {
      method: 'GET',
      path: '/api/v1/runs/:',
      handle: ofRun((run) => ({ status: 200, body: writeDetails(run) })),
      docs: {
        operation: 'get_run',
        summary: 'One run with its inputs',
        path,
        replies: { 200: schemas.runDetails, ...errors },
      },
    },
    {
      method: 'DELETE',
      path: '/api/v1/runs/:',
      handle: ofRun((run) => deleteRun(parts.runs, run)),
      docs: {
        operation: 'delete_run',
        summary: 'Remove a run that has ended',
        path,
        replies: { 204: 'Removed', 409: errorResponse, ...errors },
      },
    },
    {
      method: 'POST',
      path: '/api/v1/runs/:/cancel',
      handle: ofRun((run) => cancelRun(parts, run)),
      docs: {
        operation: 'cancel_run',
        summary: 'Cancel a run',
        path,
        replies: { 200: schemas.runSummary, 409: errorResponse, ...errors },
      },
    },
    {
      method: 'GET',
      path: '/api/v1/runs/:/items',
      handle: ofRun((run) => ({ status: 200, body: writeItems(run) })),
      docs: {
        operation: 'get_run_items',
        summary: 'Results by item',
        path,
        replies: { 200: schemas.listItemsResponse, ...errors },
      },
    },
    {
      method: 'GET',
      path: '/api/v1/runs/:/steps',
      handle: ofRun((run) => ({ status: 200, body: writeSteps(run) })),
      docs: {
        operation: 'get_run_steps',
        summary: 'The last result of each step',
        path,
        replies: { 200: schemas.listStepsResponse, ...errors },
      },
    },
    {
      method: 'GET',
      path: '/api/v1/runs/:/flow',
      handle: ofRun((run) => ({
        status: 200,
        body: `{"flow":${run.plan.flow.json},"flowId":"${run.plan.flow.id}"}`,
      })),
      docs: {
        operation: 'get_run_flow',
        summary: 'The flow of a run',
        path,
        replies: { 200: schemas.flowResponse, ...errors },
      },
    },
  ]
}

/** @throws Refusal */
function findRun(runs: RunStore, text: string): RunView {
  const id = readUuid(text)
  if (id === null) {
    throw refuseText(
      400,
      `Invalid URL: Cannot parse \`run_id\` with value \`${text}\`: UUID parsing failed: ${uuidProblem(text)}`,
    )
  }
  const run = runs.get(id)
  if (run === undefined) throw refuse(404, `Execution '${id}' not found`)
  return run
}

function createRun(parts: RunApiParts, request: ApiRequest): ApiReply | Promise<ApiReply> {
  const fields = readBody(request, schemas.createRunRequest)
  const id = unquote(fields.get('flowId') as Json)
  const input = fields.get('input') as Json
  const concurrency = fields.get('maxConcurrency')
  const limit = concurrency === undefined || concurrency === 'null' ? undefined : Number(concurrency)
  if (limit === 0) throw refuse(400, 'maxConcurrency must be at least 1', false)
  const flow = parts.blobs.get(id)?.flow
  if (flow === undefined || flow === null) throw refuse(404, `Workflow '${id}' not found`)
  const variables = fields.get('variables')
  let run: Run
  try {
    run = parts.executor.submit({
      flow: flow.id === id ? flow : { ...flow, id },
      // A single input that is no array is how older lines asked for a run of one item.
      inputs: kindOf(input) === 'array' ? elements(input) : [input],
      overrides: readOverrides(fields.get('overrides')),
      trace: readTrace(request.headers.get('traceparent'), request.headers.get('tracestate')),
      ...(limit === undefined ? {} : { maxConcurrency: limit }),
      ...(variables === undefined ? {} : { variables: new Map(members(variables)) }),
    })
  } catch (error) {
    if (!(error instanceof OverloadedError)) throw error
    throw refuse(429, error.message, false, ['retry-after', String(error.retryAfterSeconds)])
  }
  const prefer = request.headers.get('prefer')
  if (prefer !== undefined && /(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(prefer)) {
    return {
      status: 202,
      body: writeCreated(run),
      headers: ['location', `/api/v1/runs/${run.id}`, 'preference-applied', 'respond-async'],
    }
  }
  if (run.status !== 'running') return { status: 200, body: writeCreated(run) }
  return new Promise((resolve) => {
    run.whenEnded(() => resolve({ status: 200, body: writeCreated(run) }))
  })
}

function listRuns(runs: RunStore, query: URLSearchParams): ApiReply {
  const status = readChoice(query, 'status', schemas.runStatuses)
  const flowName = readQuery(query, 'flowName')
  const root = readId(query, 'rootRunId')
  const parent = readId(query, 'parentRunId')
  const maxDepth = readWhole(query, 'maxDepth', 2 ** 32 - 1)
  const limit = readWhole(query, 'limit') ?? Number.POSITIVE_INFINITY
  const offset = readWhole(query, 'offset') ?? 0
  const found: string[] = []
  let skipped = 0
  for (const run of runs.newestFirst()) {
    if (found.length >= limit) break
    if (status !== undefined && run.status !== status) continue
    if (flowName !== undefined && run.plan.flow.name !== flowName) continue
    if (root !== undefined && run.rootRunId !== root) continue
    if (parent !== undefined && run.parentRunId !== parent) continue
    if (maxDepth !== undefined && run.depth > maxDepth) continue
    if (skipped++ < offset) continue
    found.push(writeSummary(run))
  }
  return { status: 200, body: `{"runs":[${found.join(',')}]}` }
}

function cancelRun({ executor, runs }: RunApiParts, run: RunView): ApiReply {
  if (!executor.cancel(run.id)) {
    const status = `${run.status.charAt(0).toUpperCase()}${run.status.slice(1)}`
    throw refuse(409, `Run '${run.id}' cannot be cancelled (status: ${status})`)
  }
  return { status: 200, body: writeSummary(runs.get(run.id) ?? run) }
}

function deleteRun(runs: RunStore, run: RunView): ApiReply {
  if (run.status === 'running') {
    throw refuse(409, `Execution '${run.id}' is still running and cannot be deleted`)
  }
  runs.delete(run.id)
  return { status: 204, body: '' }
}
