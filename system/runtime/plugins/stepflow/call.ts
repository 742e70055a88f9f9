// One components/execute: the request, its answer or stream, and the callbacks served while it runs.

import type { HistoryWriter } from '../../../program/history.ts'
import type { SpanExporter } from '../../../program/spans.ts'
import { type Json, member, quote, stringOf } from '../../../wire/json.ts'
import {
  encodeError,
  encodeRequest,
  encodeResult,
  type RpcError,
  type RpcId,
  type RpcMessage,
} from '../../../wire/jsonrpc.ts'
import type { HttpClient } from '../../http/client.ts'
import { newId } from '../../ids.ts'
import type { RuntimeMetrics } from '../../metrics.ts'
import { Queue } from '../../queue.ts'
import { traceHead } from '../../trace.ts'
import type { CallOutcome, CallTimeouts, StepCall } from '../plugin.ts'
import { type AnswerEvent, createAnswerReader } from './answer.ts'
import * as breaks from './breaks.ts'
import { beginCallbackSpan } from './callback-span.ts'
import { type Delivery, type Reply, sendReply } from './reply.ts'

/** Answers a callback of a component. */
export type CallbackHandler = (
  method: string,
  params: Json | undefined,
  caller: CallbackCaller,
) => CallbackAnswer | Promise<CallbackAnswer>

/** What the component works for. */
export type CallbackCaller = Pick<StepCall, 'runId' | 'trace' | 'spanId'>

export type CallbackAnswer = { readonly result: Json } | { readonly error: RpcError }

export interface CallParts {
  readonly client: HttpClient
  readonly url: string
  readonly callbacks: CallbackHandler
  readonly history: HistoryWriter
  readonly metrics: RuntimeMetrics
  /** Where spans of callbacks go; null: none are recorded. */
  readonly spans: SpanExporter | null
  /** Of the plugin; those of the route come before them. */
  readonly timeouts: CallTimeouts
  readonly maxMessageBytes: number
}

/** Milliseconds a call may take where nothing else is said. */
export const defaultStepMs = 30 * 60_000

/** Callbacks of one call that may be unanswered, and replies that are sent at once: each takes a connection. */
const maxUnanswered = 10_000
const maxRepliesAtOnce = 256

/** Milliseconds that replies still under way at the end of the call have left. */
const lateReplyMs = 30_000

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
  /** `traceparent` of the call and of the replies to its callbacks. */
  #traceHead = ''
  /** Replies on their way. */
  #replies: Set<Reply> | null = null
  #unanswered = 0
  /** Replies that wait for their turn. */
  #turns: Queue<() => void> | null = null
  #givenUp = false
  #pod: string | undefined
  #status = 0
  #stream = false
  #abort: () => void = () => {}
  readonly #timeouts: CallTimeouts
  #deadline: NodeJS.Timeout | undefined
  #silence: NodeJS.Timeout | undefined
  #over = false
  #linger: NodeJS.Timeout | undefined

  constructor(call: StepCall, parts: CallParts, resolve: (outcome: CallOutcome) => void) {
    this.#call = call
    this.#parts = parts
    this.#resolve = resolve
    this.#timeouts = { ...parts.timeouts, ...call.timeouts }
  }

  start(): void {
    const { runId, stepId, item, attempt } = this.#call
    const { history, client, maxMessageBytes } = this.#parts
    if (history.enabled) {
      history.record({ kind: 'call.sent', runId, stepId, item, attempt, requestId: this.#requestId })
    }
    const { stepMs = defaultStepMs, firstByteMs } = this.#timeouts
    this.#deadline = setTimeout(() => this.#break(breaks.pastDeadline(stepMs)), stepMs)
    if (firstByteMs !== undefined) this.#watch(firstByteMs, 'first byte')
    this.#call.onCancel(() => this.#break(breaks.cancelled))
    const reader = createAnswerReader((event) => this.#on(event), maxMessageBytes)
    const spanId = this.#call.spanId ?? `${this.#requestId.slice(19, 23)}${this.#requestId.slice(24)}`
    if (this.#call.trace !== null) this.#traceHead = traceHead(this.#call.trace, spanId)
    this.#abort = client.post(executeRequest(this.#id, spanId, this.#call), null, reader, this.#traceHead)
  }

  /** Breaks the call unless something arrives in time. */
  #watch(withinMs: number, what: string): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#break(breaks.silent(what, withinMs)), withinMs)
  }

  #on(event: AnswerEvent): void {
    const { idleMs } = this.#timeouts
    if (idleMs !== undefined && !this.#over) this.#watch(idleMs, 'part of the answer')
    else clearTimeout(this.#silence)
    if (this.#over) {
      if (event.kind === 'end') clearTimeout(this.#linger)
      return
    }
    switch (event.kind) {
      case 'head':
        this.#onHead(event.status, event.stream, event.instanceId)
        break
      case 'message':
        this.#onMessage(event.message)
        break
      case 'garbage':
        if (!this.#stream) this.#break(breaks.garbled(this.#status, event.text, event.problem))
        // Some servers keep a stream alive by events without data.
        else if (event.text !== '') this.#break(breaks.garbledEvent(event.text, event.problem))
        break
      case 'too-long':
        this.#break(breaks.tooLong(event.limitBytes))
        break
      case 'end':
        this.#break(
          this.#stream ? breaks.streamEnded(event.error) : breaks.unanswered(this.#parts.url, event.error),
        )
        break
    }
  }

  #onHead(status: number, stream: boolean, instanceId: string | undefined): void {
    this.#status = status
    this.#stream = stream
    this.#pod = instanceId
    const { history } = this.#parts
    if (!history.enabled) return
    history.record({
      kind: 'call.answered',
      requestId: this.#requestId,
      status,
      stream,
      instanceId,
    })
  }

  #onMessage(message: RpcMessage): void {
    if (message.kind === 'notification') return
    if (message.kind === 'request') {
      if (this.#stream) this.#serve(message.id, message.method, message.params)
      return
    }
    // A balancer answers for a call whose id it could not read with null.
    if (message.id !== this.#id && !(message.kind === 'error' && message.id === 'null')) {
      if (!this.#stream) this.#break(breaks.toAnotherRequest(message.id))
      return
    }
    if (message.kind === 'error') {
      this.#break(breaks.refusedBy(message.error))
      return
    }
    const output = member(message.result, 'output')
    if (output === undefined) this.#break(breaks.withoutOutput(message.result))
    else {
      this.#end({
        kind: 'success',
        value: output,
        requestId: this.#requestId,
        ...(this.#pod === undefined ? {} : { pod: this.#pod }),
      })
    }
  }

  #serve(id: RpcId, method: string, params: Json | undefined): void {
    const { callbacks, history, spans } = this.#parts
    const startedAt = performance.now()
    if (history.enabled) {
      history.record({
        kind: 'callback.received',
        requestId: this.#requestId,
        callbackId: stringOf(id) ?? id,
        method,
        instanceId: this.#pod,
      })
    }
    if (++this.#unanswered > maxUnanswered) {
      this.#break(breaks.tooManyCallbacks(maxUnanswered))
      return
    }
    const span =
      spans === null ? null : beginCallbackSpan(spans, this.#call, { method, params, pod: this.#pod })
    const answer = callbacks(method, params, span?.caller ?? this.#call)
    if (answer instanceof Promise) {
      void answer.then((late) => {
        span?.end(late)
        this.#reply(id, method, startedAt, late)
      })
      return
    }
    span?.end(answer)
    this.#reply(id, method, startedAt, answer)
  }

  #reply(id: RpcId, method: string, startedAt: number, answer: CallbackAnswer): void {
    this.#replies ??= new Set()
    if (this.#replies.size >= maxRepliesAtOnce) {
      this.#turns ??= new Queue()
      this.#turns.push(() => this.#reply(id, method, startedAt, answer))
      return
    }
    if (this.#givenUp) return
    const body = 'result' in answer ? encodeResult(id, answer.result) : encodeError(id, answer.error)
    const { client } = this.#parts
    const reply = sendReply(client, body, this.#pod ?? null, this.#traceHead, (delivery) => {
      this.#replies?.delete(reply)
      this.#replied(id, method, startedAt, delivery)
    })
    this.#replies.add(reply)
  }

  #replied(id: RpcId, method: string, startedAt: number, delivery: Delivery): void {
    const { history, metrics } = this.#parts
    this.#unanswered--
    this.#turns?.shift()?.()
    if (history.enabled) {
      history.record({
        kind: 'callback.replied',
        requestId: this.#requestId,
        callbackId: stringOf(id) ?? id,
        instanceId: this.#pod,
        status: delivery.status,
        error: delivery.problem ?? undefined,
      })
    }
    metrics.callbacks.inc(delivery.problem === null ? 'delivered' : breaks.labelOf(delivery.reason))
    metrics.callbackSeconds.observe((performance.now() - startedAt) / 1000)
    if (delivery.fatal) this.#break(breaks.undelivered(method, delivery))
  }

  #break({ causes, reason, componentError, unsent }: breaks.Break): void {
    if (this.#over) return
    this.#giveUpReplies()
    this.#end({
      kind: 'broken',
      causes,
      details: {
        reason,
        ...(this.#pod === undefined ? {} : { pod: this.#pod }),
        ...(componentError === undefined ? {} : { componentError }),
      },
      requestId: this.#requestId,
      ...(unsent === true ? { unsent } : {}),
    })
    // An answer that is whole leaves its connection to others; anything else is cut.
    if (componentError === undefined) this.#abort()
  }

  #giveUpReplies(): void {
    this.#givenUp = true
    for (const reply of this.#replies ?? []) reply.stop()
  }

  #end(outcome: CallOutcome): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#deadline)
    clearTimeout(this.#silence)
    this.#parts.metrics.calls.inc(
      outcome.kind === 'broken' ? breaks.labelOf(outcome.details.reason ?? '') : outcome.kind,
    )
    if (this.#stream) this.#linger = setTimeout(this.#abort, lingerMs)
    // Nobody waits for them any more, and a server that never answers one would keep its connection.
    if (this.#unanswered > 0) setTimeout(() => this.#giveUpReplies(), lateReplyMs).unref()
    this.#resolve(outcome)
  }
}

function executeRequest(id: RpcId, spanId: string, call: StepCall): Json {
  const traceId = call.trace?.traceId ?? call.runId.replaceAll('-', '')
  const params =
    `{"component":${quote(call.component)},"input":${call.input},"attempt":${call.attempt},"observability":{` +
    `"trace_id":"${traceId}","span_id":"${spanId}","run_id":"${call.runId}","flow_id":"${call.flowId}",` +
    `"step_id":${quote(call.stepId)}}}`
  return encodeRequest(id, 'components/execute', params as Json)
}
