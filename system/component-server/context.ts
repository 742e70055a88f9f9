// What a component with context is given: callbacks to the runtime, the call's ids, its signal and log.

import type { Log } from '../program/log.ts'
import { type Json, member, objectOf, toJson } from '../wire/json.ts'
import { rpcCodes } from '../wire/jsonrpc.ts'
import { type CallbackOwner, type CallbackResult, type Callbacks, unwatched } from './callbacks.ts'
import { ComponentError } from './failure.ts'
import { type CallIds, type Fields, isFields, replyResult } from './messages.ts'
import { RawJson, writeJson } from './raw-json.ts'

/** The ids that came with the call, any of which a runtime may leave out; with --trace-enabled the span is this server's own. */
export interface Observability extends Partial<Record<keyof CallIds, string>> {
  /** From 1. */
  readonly attempt: number
}

/** The outcome of one input of a sub-run. */
export type ItemResult =
  | { readonly outcome: 'success'; readonly result: unknown }
  | { readonly outcome: 'failed'; readonly code: number; readonly message: string }

export interface EvaluateOptions {
  /** Steps that run at once; default the runtime's. */
  readonly maxConcurrency?: number
  /** Overrides by step id, as POST /api/v1/runs takes them. */
  readonly overrides?: object
}

export interface Context {
  /** Aborts when whoever called is gone or the server stops: what the component returns is lost then. */
  readonly signal: AbortSignal
  /** Lines carry the call's ids. */
  readonly log: Log
  readonly observability: Observability
  /** The Stepflow-Instance-Id of this process. */
  readonly instanceId: string
  /**
   * Stores a value in the runtime and returns its id. RawJson goes as the text it is.
   * @throws ComponentError where the runtime refuses, or the caller is gone
   */
  putBlob(data: unknown, type?: 'data' | 'flow'): Promise<string>
  /** The value behind an id, as JavaScript has it. */
  getBlob(blobId: string): Promise<unknown>
  /** The value behind an id as text: `1.0` stays `1.0`. */
  getRawBlob(blobId: string): Promise<RawJson>
  /**
   * Runs a flow (a document, or the id of a stored one) for one input and returns its result.
   * @throws ComponentError with the flow's message where it fails
   */
  evaluateFlow(flow: object | string, input: unknown, options?: EvaluateOptions): Promise<unknown>
  /** Runs a flow for several inputs; one outcome for each, in their order. */
  evaluateBatch(
    flow: object | string,
    inputs: readonly unknown[],
    options?: EvaluateOptions,
  ): Promise<readonly ItemResult[]>
}

export interface ContextParts {
  readonly owner: CallbackOwner
  readonly callbacks: Callbacks
  readonly signal: LazySignal
  /** Makes the log, which few calls want. */
  readonly log: () => Log
  readonly ids: CallIds
  readonly attempt: number
  readonly instanceId: string
}

/** An AbortSignal that is made when somebody wants it: making one costs more than the rest of a context. */
export interface LazySignal {
  /** Null until aborted. */
  readonly reason: Error | null
  get(): AbortSignal
  abort(reason: Error): void
}

export function createLazySignal(): LazySignal {
  let controller: AbortController | null = null
  let reason: Error | null = null
  return {
    get reason() {
      return reason
    },
    get() {
      if (controller === null) {
        controller = new AbortController()
        if (reason !== null) controller.abort(reason)
      }
      return controller.signal
    },
    abort(given) {
      reason = given
      controller?.abort(given)
    },
  }
}

export function createContext(parts: ContextParts): Context {
  const { owner, callbacks, signal, ids } = parts
  const observability = writeIds(ids)

  /** @param params members of the callback's parameters, without the braces */
  const call = <T>(
    method: Parameters<Callbacks['send']>[1],
    params: string,
    read: (reply: CallbackResult) => T,
  ): Promise<T> =>
    signal.reason !== null
      ? unwatched(Promise.reject(signal.reason))
      : callbacks.send(owner, method, `{${params},"observability":${observability}}` as Json, read)

  const putBlob = (data: unknown, type: 'data' | 'flow' = 'data'): Promise<string> => {
    if (data === undefined) {
      const error = new ComponentError('putBlob: data is undefined, which JSON has not')
      return unwatched(Promise.reject(error))
    }
    let json: Json
    try {
      json = writeJson(data)
    } catch (error) {
      return unwatched(Promise.reject(error))
    }
    return call('blobs/put', `"data":${json},"blob_type":${toJson(type)}`, readBlobId)
  }

  const evaluateBatch = async (
    flow: object | string,
    inputs: readonly unknown[],
    options: EvaluateOptions = {},
  ): Promise<readonly ItemResult[]> => {
    const flowId = typeof flow === 'string' ? flow : await putBlob(flow, 'flow')
    const { maxConcurrency, overrides } = options
    const params = objectOf([
      ['flowId', toJson(flowId)],
      ['inputs', writeJson(inputs)],
      ['wait', toJson(true)],
      ['maxConcurrency', maxConcurrency === undefined ? undefined : toJson(maxConcurrency)],
      ['overrides', overrides === undefined ? undefined : writeJson(overrides)],
    ])
    const result = await call('runs/submit', params.slice(1, -1), (reply) => reply.result)
    const results: unknown = result['results']
    if (!Array.isArray(results) || results.length !== inputs.length) {
      throw new ComponentError(`run ${String(result['runId'])} ended without a result for each input`)
    }
    return results.map(readItem)
  }

  const getBlob = <T>(blobId: string, read: (reply: CallbackResult) => T): Promise<T> =>
    call('blobs/get', `"blob_id":${toJson(blobId)}`, read)

  const evaluateFlow: Context['evaluateFlow'] = async (flow, input, options) => {
    const [item] = await evaluateBatch(flow, [input], options)
    if (item?.outcome === 'success') return item.result
    throw new ComponentError(item?.message ?? 'the flow gave no result', {
      data: { code: item?.code ?? rpcCodes.execution },
    })
  }

  let log: Log | null = null
  let given: Observability | null = null
  return {
    get signal() {
      return signal.get()
    },
    get log() {
      log ??= parts.log()
      return log
    },
    get observability() {
      given ??= { ...present(ids), attempt: parts.attempt }
      return given
    },
    instanceId: parts.instanceId,
    putBlob,
    getBlob: (blobId) => getBlob(blobId, readData),
    getRawBlob: (blobId) => getBlob(blobId, readRawData),
    evaluateFlow: (flow, input, options) => unwatched(evaluateFlow(flow, input, options)),
    evaluateBatch: (flow, inputs, options) => unwatched(evaluateBatch(flow, inputs, options)),
  }
}

function readBlobId({ result }: CallbackResult): string {
  return result['blob_id'] as string
}

function readData({ result }: CallbackResult): unknown {
  return result['data']
}

function readRawData({ text }: CallbackResult): RawJson {
  const result = replyResult(text)
  return new RawJson((result && member(result, 'data')) ?? toJson(null))
}

/** The call's ids as callbacks carry them; null where the call had none. */
function writeIds(ids: CallIds): Json {
  const { traceId, spanId, runId, flowId, stepId } = ids
  const list = { trace_id: traceId, span_id: spanId, run_id: runId, flow_id: flowId, step_id: stepId }
  return Object.values(list).some((id) => id !== undefined) ? toJson(list) : toJson(null)
}

function present(ids: CallIds): Partial<Record<keyof CallIds, string>> {
  return Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined))
}

function readItem(item: unknown): ItemResult {
  const flowResult: Fields = isFields(item) && isFields(item['result']) ? item['result'] : {}
  if (flowResult['outcome'] === 'success') return { outcome: 'success', result: flowResult['result'] }
  const error: Fields = isFields(flowResult['error']) ? flowResult['error'] : {}
  return {
    outcome: 'failed',
    code: typeof error['code'] === 'number' ? error['code'] : rpcCodes.execution,
    message: typeof error['message'] === 'string' ? error['message'] : 'the item has no result',
  }
}
