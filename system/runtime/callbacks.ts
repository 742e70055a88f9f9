// What components may ask of the runtime on their streams: blobs and runs.

import { elements, type Json, jsonNull, kindOf, members, unquote } from '../wire/json.ts'
import { checkShape, ShapeError } from '../wire/json-shape.ts'
import { rpcCodes } from '../wire/jsonrpc.ts'
import { writeRunStatus } from './api/run-text.ts'
import { type Executor, OverloadedError } from './executor/executor.ts'
import { overridesSchema, readOverrides } from './executor/overrides.ts'
import type { Run } from './executor/run.ts'
import { readUuid } from './ids.ts'
import type { CallbackAnswer, CallbackCaller, CallbackHandler } from './plugins/stepflow/call.ts'
import { type BlobStore, FullError } from './store/blobs.ts'
import type { RunStore } from './store/runs.ts'
import { within } from './trace.ts'

export interface CallbackParts {
  readonly blobs: BlobStore
  readonly runs: RunStore
  readonly executor: () => Executor
}

type Params = ReadonlyMap<string, Json>
type Method = (
  params: Params,
  caller: CallbackCaller,
  parts: CallbackParts,
) => CallbackAnswer | Promise<CallbackAnswer>

const methods: Readonly<Record<string, Method>> = {
  'blobs/put': putBlob,
  'blobs/get': getBlob,
  'runs/submit': submitRun,
  'runs/get': getRun,
}

export function createCallbacks(parts: CallbackParts): CallbackHandler {
  return (method, params, caller) => {
    const handle = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (handle === undefined) return failed(rpcCodes.methodNotFound, `Method not found: ${method}`)
    try {
      return handle(new Map(members(params ?? jsonNull)), caller, parts)
    } catch (error) {
      if (error instanceof BadParams) {
        return failed(rpcCodes.invalidParams, `Invalid parameters for request ${method}`)
      }
      if (error instanceof OverloadedError) return failed(rpcCodes.generic, error.message)
      throw error
    }
  }
}

class BadParams extends Error {}

function failed(code: number, message: string): CallbackAnswer {
  return { error: { code, message } }
}

/** A parameter that must be there. */
function need(params: Params, name: string, kind: string): Json {
  const value = params.get(name)
  if (value === undefined || kindOf(value) !== kind) throw new BadParams()
  return value
}

/** A switch that may be absent or null. */
function isSet(params: Params, name: string): boolean {
  const value = params.get(name) ?? jsonNull
  if (value !== 'null' && kindOf(value) !== 'boolean') throw new BadParams()
  return value === 'true'
}

function putBlob(params: Params, { runId }: CallbackCaller, { blobs, runs }: CallbackParts): CallbackAnswer {
  const data = params.get('data')
  const type = params.get('blob_type')
  if (data === undefined || (type !== '"data"' && type !== '"flow"')) throw new BadParams()
  try {
    // A component may go on after its run was cancelled.
    const owner = runs.atWork(runId) === undefined ? null : runId
    const id = blobs.put(data, type === '"flow"' ? 'flow' : 'data', owner)
    return { result: `{"blob_id":"${id}"}` as Json }
  } catch (error) {
    if (error instanceof ShapeError) return failed(rpcCodes.generic, 'Failed to put blob')
    if (error instanceof FullError) return failed(rpcCodes.generic, `Failed to put blob: ${error.message}`)
    throw error
  }
}

function getBlob(params: Params, _caller: CallbackCaller, { blobs }: CallbackParts): CallbackAnswer {
  const blob = blobs.get(unquote(need(params, 'blob_id', 'string')))
  if (blob === undefined) return failed(rpcCodes.generic, 'Failed to get blob')
  return { result: `{"data":${blob.data},"blob_type":"${blob.type}"}` as Json }
}

function submitRun(
  params: Params,
  caller: CallbackCaller,
  { blobs, executor }: CallbackParts,
): CallbackAnswer | Promise<CallbackAnswer> {
  const id = unquote(need(params, 'flowId', 'string'))
  const inputs = elements(need(params, 'inputs', 'array'))
  const wait = isSet(params, 'wait')
  const limit = readLimit(params.get('maxConcurrency'))
  const overrides = readPatches(params.get('overrides'))
  const flow = blobs.get(id)?.flow
  if (flow === undefined || flow === null) return failed(rpcCodes.notFound, `Not found: flow with ID '${id}'`)
  const run = executor().submit({
    flow: flow.id === id ? flow : { ...flow, id },
    inputs,
    overrides,
    // A run of its own, in the trace of the callback that asks for it.
    trace: within(caller),
    // It may be what the run waits for that this component works for.
    urgent: true,
    ...(limit === undefined ? {} : { maxConcurrency: limit }),
  })
  return wait ? whenEnded(run, 'by_index') : { result: writeRunStatus(run, 'none') }
}

function readLimit(json: Json | undefined): number | undefined {
  if (json === undefined || json === 'null') return undefined
  if (!/^[1-9]\d*$/.test(json)) throw new BadParams()
  return Number(json)
}

function readPatches(json: Json | undefined): Json | null {
  if (json === undefined || json === 'null') return null
  try {
    checkShape(overridesSchema, json, [])
  } catch (error) {
    if (error instanceof ShapeError) throw new BadParams()
    throw error
  }
  return readOverrides(json)
}

function getRun(
  params: Params,
  _caller: CallbackCaller,
  { runs }: CallbackParts,
): CallbackAnswer | Promise<CallbackAnswer> {
  const id = readUuid(unquote(need(params, 'runId', 'string')))
  if (id === null) {
    return failed(rpcCodes.invalidValue, "Invalid value for field 'run_id': expected valid UUID")
  }
  const order = params.get('resultOrder') ?? jsonNull
  if (order !== 'null' && order !== '"by_index"' && order !== '"by_completion"') throw new BadParams()
  const results = isSet(params, 'includeResults')
    ? order === '"by_completion"'
      ? 'by_completion'
      : 'by_index'
    : 'none'
  const wait = isSet(params, 'wait')
  const atWork = runs.atWork(id)
  if (wait && atWork !== undefined) return whenEnded(atWork, results)
  const run = runs.get(id)
  if (run === undefined) return failed(rpcCodes.generic, 'Failed to get run')
  return { result: writeRunStatus(run, results) }
}

function whenEnded(run: Run, results: 'none' | 'by_index' | 'by_completion'): Promise<CallbackAnswer> {
  return new Promise((resolve) => {
    run.whenEnded(() => resolve({ result: writeRunStatus(run, results) }))
  })
}
