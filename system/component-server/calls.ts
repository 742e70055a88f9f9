// One POST's journey: read, recorded, run, answered, either by one JSON object or by a stream.

import type { HistoryWriter } from '../program/history.ts'
import type { Log } from '../program/log.ts'
import type { SpanExporter } from '../program/spans.ts'
import { type Json, member, quote, toJson } from '../wire/json.ts'
import { rpcCodes } from '../wire/jsonrpc.ts'
import { beginCallSpan } from './call-span.ts'
import type { Callbacks } from './callbacks.ts'
import type { Component } from './component.ts'
import { createContext, createLazySignal } from './context.ts'
import { ComponentError, type Failure, failureOf } from './failure.ts'
import { executeInput, type Message, type PostHead, readMessage } from './messages.ts'
import type { CallCounts, Metrics } from './metrics.ts'
import { RawJson, writeJson } from './raw-json.ts'
import { componentInfo, type Registry } from './registry.ts'

/** The way back to the peer of one POST. Writes after its end or its peer's are dropped. */
export interface Answer {
  /** The whole answer, a JSON text. */
  send(status: number, json: string): void
  /** Opens an event stream. Its head leaves with the first event: most components call back at once. */
  openStream(): void
  /** The component has begun: a head that no event took along leaves at the end of this turn. */
  begun(): void
  writeEvent(json: Json): void
  /** The last event, and the end of the stream. */
  endStream(json: Json): void
  /** Called once where the peer goes away before the answer has ended. */
  onAbort: (() => void) | null
}

export interface Calls {
  /** Answers one POST. */
  receive(body: Buffer, head: PostHead, answer: Answer): void
  /** Calls not answered yet. */
  readonly open: number
  readonly streamsOpen: number
  /** Resolves as soon as no call is open. */
  whenIdle(): Promise<void>
  /** Ends every open call with an error that says so. */
  stopAll(reason: string): void
}

export interface CallsOptions {
  readonly registry: Registry
  readonly callbacks: Callbacks
  readonly history: HistoryWriter
  readonly metrics: Pick<Metrics, 'of'>
  readonly log: Log
  /** Null: no spans of calls are recorded. */
  readonly spans: SpanExporter | null
  readonly instanceId: string
  /** Calls beyond this many open ones are refused with 503. */
  readonly maxCalls: number
}

type Execute = Extract<Message, { kind: 'execute' }>

/** A call that is open: it waits for its component. */
interface OpenCall {
  stop(reason: string): void
}

export function createCalls(options: CallsOptions): Calls {
  const { registry, callbacks, history, metrics, log, spans, instanceId, maxCalls } = options
  const openCalls = new Set<OpenCall>()
  const counts = new Map<string, CallCounts>()
  const unknownCounts = metrics.of('unknown')
  for (const path of registry.byPath.keys()) counts.set(path, metrics.of(path))
  let streamsOpen = 0
  let idle: (() => void)[] = []

  const receive = (body: Buffer, head: PostHead, answer: Answer): void => {
    const message = readMessage(body)
    switch (message.kind) {
      case 'execute':
        execute(message, head, answer)
        break
      case 'request':
        answer.send(200, answerRequest(message, registry))
        break
      case 'notification':
        answer.send(202, '""')
        break
      case 'reply': {
        const problem = callbacks.settle(message.id, message.fields, message.text, head)
        if (problem !== null) log.debug({ callbackId: message.id, problem }, 'reply refused')
        answer.send(problem === null ? 202 : 400, problem === null ? '""' : refusal(problem))
        break
      }
      case 'refused':
        log.debug({ problem: message.message }, 'message refused')
        answer.send(400, refusal(message.message))
    }
  }

  const execute = (received: Execute, head: PostHead, answer: Answer): void => {
    const startedAt = performance.now()
    let message = received
    const component = registry.byPath.get(message.component)
    if (history.enabled) recordReceived(message, component?.context === true, head.via)
    let count = counts.get(message.component) ?? unknownCounts
    if (spans !== null) ({ message, count } = beginCallSpan(spans, message, head, count))
    if (component === undefined) {
      recordAnswered(message, 'failed', 'component not found')
      count.ended('failed', performance.now() - startedAt, 'component not found')
      answer.send(200, errorText(message.id, notFound(message.component)))
    } else if (openCalls.size >= maxCalls) {
      const problem = `server is busy: ${maxCalls} calls are open`
      recordAnswered(message, 'failed', problem)
      count.ended('refused', performance.now() - startedAt, problem)
      const data = { reason: 'busy' }
      answer.send(503, errorText(message.id, { code: rpcCodes.generic, message: problem, data }))
    } else if (component.context) executeOnStream(message, component, answer, startedAt, count)
    else executeDirect(message, component, answer, startedAt, count)
    // Whatever the component is waiting for, that it has begun must not wait.
    history.flush()
  }

  // Hot path (docs/decisions/020-component-server-on-sockets.md): a synchronous component costs no promise and no closure.
  const executeDirect = (
    message: Execute,
    component: Component,
    answer: Answer,
    startedAt: number,
    count: CallCounts,
  ): void => {
    let text: string
    try {
      const input = component.read(message.input)
      const output =
        input instanceof Promise
          ? input.then((value) => component.run(value as never, noContext))
          : component.run(inputOf(message, component, input) as never, noContext)
      if (isThenable(output)) {
        awaitDirect(message, component, answer, startedAt, count, Promise.resolve(output))
        return
      }
      text = resultText(message.id, component, output)
    } catch (thrown) {
      answerDirect(message, answer, startedAt, count, failed(message, component, thrown))
      return
    }
    if (history.enabled) recordAnswered(message, 'success')
    count.ended('success', performance.now() - startedAt)
    answer.send(200, text)
  }

  const answerDirect = (
    message: Execute,
    answer: Answer,
    startedAt: number,
    count: CallCounts,
    failure: Failure,
  ): void => {
    recordAnswered(message, 'failed', failure.message)
    count.ended('failed', performance.now() - startedAt, failure.message)
    answer.send(200, errorText(message.id, failure))
  }

  const awaitDirect = (
    message: Execute,
    component: Component,
    answer: Answer,
    startedAt: number,
    count: CallCounts,
    output: Promise<unknown>,
  ): void => {
    const call: OpenCall = {
      stop(reason) {
        if (close()) answerDirect(message, answer, startedAt, count, stopped(reason))
      },
    }
    const close = (): boolean => {
      answer.onAbort = null
      return closeCall(call)
    }
    openCalls.add(call)
    answer.onAbort = () => {
      if (close()) aborted(message, startedAt, count)
    }
    output
      .then((value) => {
        const text = resultText(message.id, component, value)
        if (!close()) return
        recordAnswered(message, 'success')
        count.ended('success', performance.now() - startedAt)
        answer.send(200, text)
      })
      .catch((thrown: unknown) => {
        const failure = failed(message, component, thrown)
        if (close()) answerDirect(message, answer, startedAt, count, failure)
      })
  }

  const executeOnStream = (
    message: Execute,
    component: Component,
    answer: Answer,
    startedAt: number,
    count: CallCounts,
  ): void => {
    const owner = {
      requestId: message.requestId,
      open: true,
      write: (json: Json) => answer.writeEvent(json),
    }
    const close = (reason: () => Error): boolean => {
      if (!closeCall(call)) return false
      streamsOpen--
      owner.open = false
      answer.onAbort = null
      callbacks.abandon(owner, reason)
      return true
    }
    const signal = createLazySignal()
    const fail = (failure: Failure): void => {
      recordAnswered(message, 'failed', failure.message)
      count.ended('failed', performance.now() - startedAt, failure.message)
      answer.endStream(errorText(message.id, failure))
    }
    const call: OpenCall = {
      stop(reason) {
        const error = new ComponentError(reason)
        if (!close(() => error)) return
        fail(stopped(reason))
        signal.abort(error)
      },
    }
    openCalls.add(call)
    streamsOpen++
    answer.onAbort = () => {
      const error = new ComponentError('the caller went away')
      if (!close(() => error)) return
      aborted(message, startedAt, count)
      signal.abort(error)
    }
    answer.openStream()

    const done = (output: unknown): void => {
      let text: Json
      try {
        text = resultText(message.id, component, output)
      } catch (thrown) {
        broke(thrown)
        return
      }
      if (!close(callEnded)) return
      recordAnswered(message, 'success')
      count.ended('success', performance.now() - startedAt)
      answer.endStream(text)
    }
    const broke = (thrown: unknown): void => {
      if (!close(callEnded)) return
      fail(failed(message, component, thrown))
    }
    const run = (input: unknown): unknown => {
      const context = createContext({
        owner,
        callbacks,
        signal,
        log: () => callLog(message),
        ids: message.ids,
        attempt: message.attempt,
        instanceId,
      })
      return component.run(inputOf(message, component, input) as never, context)
    }
    // Without a promise where the component needs none: each costs a turn of the microtasks.
    let output: unknown
    try {
      const input = component.read(message.input)
      output = input instanceof Promise ? input.then(run) : run(input)
    } catch (thrown) {
      broke(thrown)
      return
    }
    if (isThenable(output)) {
      Promise.resolve(output).then(done, broke)
      answer.begun()
    } else done(output)
  }

  /** True for the one who closes it. */
  const closeCall = (call: OpenCall): boolean => {
    if (!openCalls.delete(call)) return false
    if (openCalls.size === 0 && idle.length > 0) {
      // After the answer is written, which the caller of this function does next.
      const waiting = idle
      idle = []
      setImmediate(() => {
        for (const resolve of waiting) resolve()
      })
    }
    return true
  }

  const aborted = (message: Execute, startedAt: number, count: CallCounts): void => {
    recordAnswered(message, 'aborted', 'the caller went away')
    count.ended('aborted', performance.now() - startedAt, 'the caller went away')
    log.info({ ...idsOf(message), component: message.component }, 'call aborted')
  }

  const failed = (message: Execute, component: Component, thrown: unknown): Failure => {
    const failure = failureOf(thrown)
    const fields = { ...idsOf(message), component: component.path, error: failure.message }
    if (thrown instanceof ComponentError) log.debug(fields, 'call failed')
    else log.warn({ ...fields, stack: thrown instanceof Error ? thrown.stack : undefined }, 'call failed')
    return failure
  }

  const recordReceived = (
    { requestId, component, attempt, ids }: Execute,
    stream: boolean,
    via: string | undefined,
  ): void => {
    history.record({
      kind: 'execute.received',
      requestId,
      component,
      attempt,
      runId: ids.runId,
      stepId: ids.stepId,
      stream,
      via,
    })
  }

  const recordAnswered = (
    { requestId }: Execute,
    outcome: 'success' | 'failed' | 'aborted',
    error?: string,
  ): void => {
    if (!history.enabled) return
    history.record({
      kind: 'execute.answered',
      requestId,
      outcome,
      error,
    })
  }

  const callLog = (message: Execute): Log => {
    const fields = { ...idsOf(message), component: message.component }
    return {
      debug: (more, event) => log.debug({ ...fields, ...more }, event),
      info: (more, event) => log.info({ ...fields, ...more }, event),
      warn: (more, event) => log.warn({ ...fields, ...more }, event),
      error: (more, event) => log.error({ ...fields, ...more }, event),
    }
  }

  return {
    receive,
    get open() {
      return openCalls.size
    },
    get streamsOpen() {
      return streamsOpen
    },
    whenIdle: () =>
      openCalls.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idle.push(resolve)
          }),
    stopAll(reason) {
      for (const call of [...openCalls]) call.stop(reason)
    },
  }
}

/** Also what is no Promise but can be awaited, as query builders are. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Made only where somebody waits for it: it takes the stack along. */
const callEnded = (): Error => new ComponentError('the call has ended')

/** Components without context are given none. */
const noContext = undefined as never

function idsOf(message: Execute) {
  const { requestId, attempt, ids } = message
  return { requestId, runId: ids.runId, stepId: ids.stepId, attempt }
}

/** The input as the component wants it: members that it declares Raw as text. */
function inputOf(message: Execute, { raw }: Component, read: unknown): unknown {
  if (raw.length === 0) return read
  const text = executeInput(message.text) ?? toJson(null)
  if (raw === 'whole') return new RawJson(text)
  const input: Record<string, unknown> = { ...(read as object) }
  for (const name of raw) {
    const inner = member(text, name)
    if (inner !== undefined) input[name] = new RawJson(inner)
  }
  return input
}

/** Answers to requests other than components/execute. */
function answerRequest(message: Extract<Message, { kind: 'request' }>, registry: Registry): string {
  const { id, method, params } = message
  switch (method) {
    case 'initialize':
      return `{"id":${id},"result":{"server_protocol_version":1},"jsonrpc":"2.0"}`
    case 'components/list':
      return `{"id":${id},"result":{"components":${registry.list}},"jsonrpc":"2.0"}`
    case 'components/info':
    case 'components/infer_schema': {
      const path = String(params['component'])
      const component = registry.byPath.get(path)
      if (component === undefined) return errorText(id, notFound(path))
      const result =
        method === 'components/info'
          ? { info: componentInfo(component) }
          : { output_schema: component.outputSchema }
      return `{"id":${id},"result":${toJson(result)},"jsonrpc":"2.0"}`
    }
    default:
      return errorText(id, {
        code: rpcCodes.methodNotFound,
        message: `Method not found: Method.${method.replace('/', '_')}`,
        data: null,
      })
  }
}

/** The doubled text is Stepflow's own. */
function notFound(path: string): Failure {
  const text = `Component '${path.slice(0, 200)}' not found`
  return {
    code: rpcCodes.componentNotFound,
    message: `Component '${text}' not found`,
    data: { component: text },
  }
}

function stopped(reason: string): Failure {
  return { code: rpcCodes.generic, message: reason, data: { reason: 'stopping' } }
}

function resultText(id: Json, component: Component, output: unknown): Json {
  const text = component.rawOutput ? writeJson(output) : toJson(output)
  return `{"id":${id},"result":{"output":${text}},"jsonrpc":"2.0"}` as Json
}

function errorText(id: Json, { code, message, data }: Failure): Json {
  return `{"id":${id},"error":{"code":${code},"message":${quote(message)},"data":${toJson(data)}},"jsonrpc":"2.0"}` as Json
}

/** Body of a 400: no JSON-RPC envelope, as Stepflow's worker has it. */
export function refusal(message: string): string {
  return `{"error":{"code":${rpcCodes.invalidRequest},"message":${quote(message)}}}`
}
