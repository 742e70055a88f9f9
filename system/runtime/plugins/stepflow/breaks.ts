// How a call can break, each in Stepflow's chain of causes with a word to match on.

import { type Json, member, objectOf, quote, stringOf, toJson } from '../../../wire/json.ts'
import type { RpcError } from '../../../wire/jsonrpc.ts'
import type { Cause } from '../../executor/failure.ts'
import type { TransportError } from '../../http/client.ts'
import type { Delivery } from './reply.ts'

export interface Break {
  readonly causes: readonly Cause[]
  readonly reason: string
  readonly componentError?: Json
  /** True: the component surely did not run. */
  readonly unsent?: boolean
}

const executing: Cause = { error: 'error executing component' }

function broken(reason: string, errors: readonly string[], attachment?: string): Break {
  const head = attachment === undefined ? executing : { ...executing, attachments: [attachment] }
  return { reason, causes: [head, ...errors.map((error) => ({ error }))] }
}

/** The component server, or the balancer for it, answered with an error. */
export function refusedBy(error: RpcError): Break {
  const reason = stringOf(error.data === undefined ? undefined : member(error.data, 'reason'))
  return {
    ...broken(reason ?? 'component-error', [`component server error(${error.code}): ${error.message}`]),
    componentError: objectOf([
      ['code', toJson(error.code)],
      ['message', quote(error.message)],
      ['data', error.data],
    ]),
  }
}

export function withoutOutput(result: Json): Break {
  return broken('bad-answer', [
    'invalid response for components/execute',
    `Unable to deserialize from '${result.slice(0, 200)}'`,
    'missing field `output`',
  ])
}

export function toAnotherRequest(id: Json): Break {
  return broken('foreign-answer', ['error receiving message', `answer to another request: ${id}`])
}

export function garbled(status: number, text: string, problem: string): Break {
  return broken(
    'bad-answer',
    ['error receiving message', `invalid message: ${text.slice(0, 200)}`, problem, `HTTP status ${status}`],
    status >= 400 ? 'Failed to parse error response as JSON' : undefined,
  )
}

/** An event whose data is no message: what the stream means from here on is anybody's guess. */
export function garbledEvent(text: string, problem: string): Break {
  return broken(
    'bad-event',
    ['error receiving message', `invalid message: ${text.slice(0, 200)}`, problem],
    'SSE stream sent an event that is no JSON-RPC message',
  )
}

export function tooLong(limitBytes: number): Break {
  return broken('too-long', ['error receiving message', `message longer than ${limitBytes} bytes`])
}

export function tooManyCallbacks(limit: number): Break {
  return broken('too-many-callbacks', [`more than ${limit} callbacks of the call are unanswered`])
}

export function streamEnded(error: TransportError | null): Break {
  return broken(
    error === null ? 'ended-early' : error.reason,
    ['error receiving message', ...(error === null ? [] : [error.message])],
    'SSE stream ended without receiving final response',
  )
}

export function unanswered(url: string, error: TransportError | null): Break {
  return {
    ...broken(
      error?.reason ?? 'bad-answer',
      [
        'error sending message',
        `error sending request for url (${url})`,
        error?.message ?? 'the answer has no result',
      ],
      'Failed to send HTTP request',
    ),
    unsent: error?.unsent ?? false,
  }
}

export function undelivered(method: string, delivery: Delivery): Break {
  return broken(
    delivery.reason,
    [delivery.problem ?? `HTTP status ${delivery.status}`],
    `The reply to the callback ${method} could not be delivered`,
  )
}

export function silent(what: string, withinMs: number): Break {
  return broken('silent', [`no ${what} within ${withinMs} ms`])
}

export function pastDeadline(deadlineMs: number): Break {
  return broken('deadline', [`no result within ${deadlineMs} ms`])
}

/** The program of the plugin does not start. */
export function notThere(error: unknown): Break {
  return {
    ...broken('refused', [
      `the program of the plugin does not start: ${error instanceof Error ? error.message : String(error)}`,
    ]),
    unsent: true,
  }
}

export const cancelled: Break = broken('cancelled', ['the run was cancelled'])

/** Reasons that may be a metric's label: those from here and the balancer's short list. */
const labels: ReadonlySet<string> = new Set([
  'component-error',
  'refused',
  'timeout',
  'unresolved',
  'reset',
  'ended-early',
  'bad-answer',
  'bad-event',
  'foreign-answer',
  'too-long',
  'too-many-callbacks',
  'deadline',
  'silent',
  'cancelled',
  'gone',
  'unknown',
  'no_backend',
])

export function labelOf(reason: string): string {
  return labels.has(reason) ? reason : 'other'
}
