// One components/execute: the request, its answer or stream, and the callbacks served while it runs.

import type { HistoryWriter } from '../../../program/history.ts'
import { type Json, kindOf, member, objectOf, quote, toJson, unquote } from '../../../wire/json.ts'
import { encodeError, encodeRequest, encodeResult, type RpcError, type RpcId } from '../../../wire/jsonrpc.ts'
import type { BreakDetails, Cause } from '../../executor/failure.ts'
import { newId } from '../../ids.ts'
import type { RuntimeMetrics } from '../../metrics.ts'
import type { CallOutcome, StepCall } from '../plugin.ts'
import { type AnswerEvent, createAnswerReader } from './answer.ts'
import type { HttpClient } from './http-client.ts'
import { sendReply } from './reply.ts'

/** Answers a callback of a component. */
export type CallbackHandler = (
  method: string,
  params: Json | undefined,
) => CallbackAnswer | Promise<CallbackAnswer>

export type CallbackAnswer = { readonly result: Json } | { readonly error: RpcError }

export interface CallParts {
  readonly client: HttpClient
  readonly url: string
  readonly callbacks: CallbackHandler
  readonly history: HistoryWriter
  readonly metrics: RuntimeMetrics
  /** ms a call may take as a whole. */
  readonly deadlineMs: number
  readonly maxMessageBytes: number
}

const executing: Cause = { error: 'error executing component' }

/** Milliseconds a stream may stay open after its last message. */
const lingerMs = 1_000

/** Runs one call; resolves when its result is known, never rejects. */
export function callComponent(call: StepCall, parts: CallParts): Promise<CallOutcome> {
  return new Promise((resolve) => new Call(call, parts, resolve).start())
}

class Call {
  readonly #call: StepCall
  readonly #parts: CallParts
  readonly #resolve: (outcome: CallOutcome) => void
  readonly #requestId = newId()
  readonly #id: RpcId = quote(this.#requestId)
  #pod: string | undefined
  #status = 0
  #stream = false
  #abort: () => void = () => {}
  #deadline: NodeJS.Timeout | undefined
  #over = false
  #linger: NodeJS.Timeout | undefined
  #stopReplies: (() => void)[] = []

  constructor(call: StepCall, parts: CallParts, resolve: (outcome: CallOutcome) => void) {
    this.#call = call
    this.#parts = parts
    this.#resolve = resolve
  }

  start(): void {
    const { runId, stepId, item, attempt } = this.#call
    const { history, client, deadlineMs, maxMessageBytes } = this.#parts
    if (history.enabled) {
      history.record({ kind: 'call.sent', runId, stepId, item, attempt, requestId: this.#requestId })
    }
    const reader = createAnswerReader((event) => this.#on(event), maxMessageBytes)
    this.#deadline = setTimeout(() => {
      this.#break([{ error: `no result within ${deadlineMs} ms` }], 'deadline')
    }, deadlineMs)
    this.#call.onCancel(() => this.#break([{ error: 'the run was cancelled' }], 'cancelled'))
    this.#abort = client.post(executeRequest(this.#id, this.#requestId, this.#call), null, reader)
  }

  #on(event: AnswerEvent): void {
    if (this.#over) {
      if (event.kind === 'end') clearTimeout(this.#linger)
      return
    }
    switch (event.kind) {
      case 'head':
        this.#status = event.status
        this.#stream = event.stream
        this.#pod = event.instanceId
        if (this.#parts.history.enabled) {
          this.#parts.history.record({
            kind: 'call.answered',
            requestId: this.#requestId,
            status: event.status,
            stream: event.stream,
            ...(event.instanceId === undefined ? {} : { instanceId: event.instanceId }),
          })
        }
        return
      case 'message': {
        const { message } = event
        if (message.kind === 'request') {
          if (this.#stream) void this.#serve(message.id, message.method, message.params)
          return
        }
        if (message.kind === 'notification') return
        // The balancer answers for a call it could not read with a null id.
        if (message.id !== this.#id && !(message.kind === 'error' && message.id === 'null')) {
          if (this.#stream) return
          return this.#break([{ error: `answer to another request: ${message.id}` }], 'foreign-answer')
        }
        if (message.kind === 'error') return this.#refused(message.error)
        const output = member(message.result, 'output')
        if (output === undefined) {
          return this.#break(
            [
              executing,
              { error: 'invalid response for components/execute' },
              { error: `Unable to deserialize from '${message.result.slice(0, 200)}'` },
              { error: 'missing field `output`' },
            ],
            'bad-answer',
          )
        }
        return this.#end({
          kind: 'success',
          value: output,
          requestId: this.#requestId,
          ...(this.#pod === undefined ? {} : { pod: this.#pod }),
        })
      }
      case 'garbage':
        if (this.#stream) return
        return this.#break(
          [
            this.#status >= 400
              ? { ...executing, attachments: ['Failed to parse error response as JSON'] }
              : executing,
            { error: 'error receiving message' },
            { error: `invalid message: ${event.text.slice(0, 200)}` },
            { error: event.problem },
            { error: `HTTP status ${this.#status}` },
          ],
          'bad-answer',
        )
      case 'too-long':
        return this.#break(
          [executing, { error: `message longer than ${event.limitBytes} bytes` }],
          'too-long',
        )
      case 'end': {
        const { error } = event
        if (this.#stream) {
          return this.#break(
            [
              { ...executing, attachments: ['SSE stream ended without receiving final response'] },
              { error: 'error receiving message' },
              ...(error === null ? [] : [{ error: error.message }]),
            ],
            error === null ? 'ended-early' : error.reason,
          )
        }
        return this.#break(
          [
            { ...executing, attachments: ['Failed to send HTTP request'] },
            { error: 'error sending message' },
            { error: `error sending request for url (${this.#parts.url})` },
            ...(error === null ? [{ error: 'no answer' }] : [{ error: error.message }]),
          ],
          error?.reason ?? 'bad-answer',
        )
      }
    }
  }

  /** The component server, or the balancer for it, answered with an error. */
  #refused(error: RpcError): void {
    const reason = error.data === undefined ? undefined : member(error.data, 'reason')
    this.#break(
      [executing, { error: `component server error(${error.code}): ${error.message}` }],
      reason !== undefined && kindOf(reason) === 'string' ? unquote(reason) : 'component-error',
      objectOf([
        ['code', toJson(error.code)],
        ['message', quote(error.message)],
        ['data', error.data],
      ]),
    )
  }

  async #serve(id: RpcId, method: string, params: Json | undefined): Promise<void> {
    const { callbacks, client, history, metrics } = this.#parts
    const startedAt = performance.now()
    const callbackId = kindOf(id) === 'string' ? unquote(id) : id
    const pod = this.#pod
    const witness = {
      requestId: this.#requestId,
      callbackId,
      ...(pod === undefined ? {} : { instanceId: pod }),
    }
    if (history.enabled) history.record({ kind: 'callback.received', ...witness, method })
    const pending = callbacks(method, params)
    const answer = pending instanceof Promise ? await pending : pending
    const body = 'result' in answer ? encodeResult(id, answer.result) : encodeError(id, answer.error)
    const reply = sendReply(client, body, pod ?? null)
    this.#stopReplies.push(reply.stop)
    const delivery = await reply.done
    if (history.enabled) {
      history.record({
        kind: 'callback.replied',
        ...witness,
        status: delivery.status,
        ...(delivery.problem === null ? {} : { error: delivery.problem }),
      })
    }
    metrics.callbacks.inc(delivery.problem === null ? 'delivered' : delivery.reason)
    metrics.callbackSeconds.observe((performance.now() - startedAt) / 1000)
    if (delivery.fatal) {
      this.#break(
        [
          { ...executing, attachments: [`The reply to the callback ${method} could not be delivered`] },
          { error: delivery.problem ?? `HTTP status ${delivery.status}` },
        ],
        delivery.reason,
      )
    }
  }

  #break(causes: readonly Cause[], reason: string, componentError?: Json): void {
    const [first] = causes
    const details: BreakDetails = {
      reason,
      ...(this.#pod === undefined ? {} : { pod: this.#pod }),
      ...(componentError === undefined ? {} : { componentError }),
    }
    this.#end({
      kind: 'broken',
      causes: first?.error === executing.error ? causes : [executing, ...causes],
      details,
      requestId: this.#requestId,
    })
  }

  #end(outcome: CallOutcome): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#deadline)
    this.#parts.metrics.calls.inc(
      outcome.kind === 'broken'
        ? knownReasons.has(outcome.details.reason ?? '')
          ? outcome.details.reason
          : 'other'
        : outcome.kind,
    )
    if (outcome.kind === 'broken') for (const stop of this.#stopReplies) stop()
    // After the last message a stream should end, and its connection serve again; one that stays open is cut.
    if (outcome.kind === 'broken' && outcome.details.reason !== 'component-error') this.#abort()
    else if (this.#stream) this.#linger = setTimeout(this.#abort, lingerMs)
    this.#resolve(outcome)
  }
}

/** Reasons that may be a metric's label: they come from here, or from the balancer's short list. */
const knownReasons: ReadonlySet<string> = new Set([
  'component-error',
  'refused',
  'timeout',
  'unresolved',
  'reset',
  'ended-early',
  'bad-answer',
  'foreign-answer',
  'too-long',
  'deadline',
  'cancelled',
  'gone',
  'unknown',
  'no_backend',
])

function executeRequest(id: RpcId, requestId: string, call: StepCall): Json {
  const trace = call.runId.replaceAll('-', '')
  const span = `${requestId.slice(19, 23)}${requestId.slice(24)}`
  const params =
    `{"component":${quote(call.component)},"input":${call.input},"attempt":${call.attempt},"observability":{` +
    `"trace_id":"${trace}","span_id":"${span}","run_id":"${call.runId}","flow_id":"${call.flowId}",` +
    `"step_id":${quote(call.stepId)}}}`
  return encodeRequest(id, 'components/execute', params as Json)
}
