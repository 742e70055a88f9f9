// A runtime's side of the protocol for tests: posts messages, reads streams event by event, replies.

import { Agent, request } from 'undici'
import { createSseDecoder } from '../../../system/wire/sse.ts'

/** A connection for each request, so that none keeps a server that drains from its end. */
const dispatcher = new Agent({ pipelining: 0 })

export const protocolHeaders = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}

/** A components/execute message. */
export function executeMessage(component: string, input: unknown, id: string | number = 'e-1'): object {
  const observability = {
    trace_id: '0'.repeat(32),
    span_id: '0'.repeat(16),
    run_id: 'r',
    flow_id: 'f',
    step_id: 's',
  }
  return {
    jsonrpc: '2.0',
    id,
    method: 'components/execute',
    params: { component, input, attempt: 1, observability },
  }
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: unknown
}

/** Posts one message (an object, or text as it is) and reads the whole answer. */
export async function post(
  url: string,
  message: unknown,
  options: { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answered> {
  const { statusCode, headers, body } = await request(url, {
    method: 'POST',
    headers: { ...protocolHeaders, ...options.headers },
    body: typeof message === 'string' ? message : JSON.stringify(message),
    dispatcher,
  })
  const text = await body.text()
  return { status: statusCode, headers, text, json: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export interface StreamEvent {
  readonly id: string
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: { readonly output: unknown }
  readonly error?: { readonly code: number; readonly message: string; readonly data: unknown }
}

export interface OpenCall extends AsyncDisposable {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The next event; undefined at the stream's end. Rejects where the stream breaks. */
  next(): Promise<StreamEvent | undefined>
  /** Goes away in the middle of the stream. */
  hangUp(): void
}

/** Starts a call whose answer is a stream. */
export async function openCall(
  url: string,
  component: string,
  input: unknown,
  id: string | number = 'e-1',
): Promise<OpenCall> {
  const { statusCode, headers, body } = await request(url, {
    method: 'POST',
    headers: protocolHeaders,
    body: JSON.stringify(executeMessage(component, input, id)),
    dispatcher,
  })
  const events: StreamEvent[] = []
  const decoder = createSseDecoder((data) => events.push(JSON.parse(data) as StreamEvent))
  const chunks = body[Symbol.asyncIterator]()
  let hungUp = false
  const hangUp = (): void => {
    hungUp = true
    body.on('error', () => {})
    body.destroy()
  }
  return {
    status: statusCode,
    headers,
    async next() {
      while (events.length === 0) {
        const { done, value } = await chunks.next()
        if (done === true) return undefined
        decoder.push(value as Buffer)
      }
      return events.shift()
    },
    hangUp,
    async [Symbol.asyncDispose]() {
      if (!hungUp) hangUp()
    },
  }
}

/** Replies to a callback; resolves with the status of the reply's own POST. */
export async function reply(url: string, id: string, result: unknown, via?: string): Promise<number> {
  const { status } = await post(
    url,
    { jsonrpc: '2.0', id, result },
    { headers: { 'stepflow-instance-id': 'x', ...(via === undefined ? {} : { via }) } },
  )
  return status
}
