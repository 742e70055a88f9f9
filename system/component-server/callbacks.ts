// Callbacks of this process that wait for their reply, found by id when it comes on a POST of its own.

import { randomUUID } from 'node:crypto'
import type { HistoryWriter } from '../program/history.ts'
import { type Json, toJson } from '../wire/json.ts'
import { encodeRequest } from '../wire/jsonrpc.ts'
import { ComponentError } from './failure.ts'
import { expected, type Fields, isFields, missingField, type PostHead } from './messages.ts'

export type CallbackMethod = 'blobs/put' | 'blobs/get' | 'runs/submit' | 'runs/get'

/** A reply with a result: its fields as JavaScript has them, and the text of the whole message. */
export interface CallbackResult {
  readonly result: Fields
  readonly text: string
}

/** What a callback belongs to: the call whose stream carries it. */
export interface CallbackOwner {
  /** The JSON-RPC id of the call, as history has it. */
  readonly requestId: string
  /** False once the call has ended. */
  readonly open: boolean
  /** Writes one event of the stream. */
  write(json: Json): void
}

export interface Callbacks {
  /**
   * Writes a callback into its owner's stream and resolves with what `read` makes of the reply; rejects with
   * ComponentError where that is an error, which may go unseen: nobody need wait for a callback.
   */
  send<T>(
    owner: CallbackOwner,
    method: CallbackMethod,
    params: Json,
    read: (reply: CallbackResult) => T,
  ): Promise<T>
  /**
   * A reply has come: null where a callback waited for it, else the words that refuse it.
   * `head` is that of the POST it came in.
   */
  settle(id: string | number, fields: Fields, text: string, head: PostHead): string | null
  /** The call is over: what it still waits for is rejected with `reason`. */
  abandon(owner: CallbackOwner, reason: () => Error): void
  /** Callbacks that wait for their reply. */
  readonly unanswered: number
}

export interface CallbacksOptions {
  readonly history: HistoryWriter
  /** Called for each reply with its round trip in ms. */
  readonly onReply?: (method: CallbackMethod, outcome: 'result' | 'error', ms: number) => void
}

/** Callbacks one call may have unanswered; a component that sends more without waiting is mistaken. */
export const maxUnansweredOfCall = 1_000

/** Callbacks of calls that are over whose late replies are still told from foreign ones. */
const maxAbandoned = 10_000

interface Waiting {
  readonly owner: CallbackOwner
  readonly method: CallbackMethod
  /** performance.now() just before the write. */
  readonly sentAt: number
  resolve(reply: CallbackResult): void
  reject(error: Error): void
}

export function createCallbacks({ history, onReply }: CallbacksOptions): Callbacks {
  const waiting = new Map<string, Waiting>()
  const byOwner = new Map<CallbackOwner, Set<string>>()
  const abandoned = new Map<string, { readonly method: CallbackMethod; readonly sentAt: number }>()

  const resolved = (
    id: string,
    { method, sentAt }: { method: CallbackMethod; sentAt: number },
    outcome: 'result' | 'error',
    via: string | undefined,
  ): void => {
    const ms = performance.now() - sentAt
    if (history.enabled) {
      history.record({
        kind: 'callback.resolved',
        callbackId: id,
        roundTripUs: Math.round(ms * 1000),
        outcome,
        via,
      })
    }
    onReply?.(method, outcome, ms)
  }

  return {
    get unanswered() {
      return waiting.size
    },

    send<T>(
      owner: CallbackOwner,
      method: CallbackMethod,
      params: Json,
      read: (reply: CallbackResult) => T,
    ): Promise<T> {
      if (!owner.open) return unwatched(Promise.reject(new ComponentError('the call has ended')))
      const own = byOwner.get(owner) ?? new Set()
      if (own.size >= maxUnansweredOfCall) {
        return unwatched(
          Promise.reject(
            new ComponentError(`more than ${maxUnansweredOfCall} callbacks wait for their reply, await some`),
          ),
        )
      }
      const id = randomUUID()
      const promise = new Promise<T>((resolve, reject) => {
        own.add(id)
        byOwner.set(owner, own)
        const request = encodeRequest(toJson(id), method, params)
        if (history.enabled) {
          history.record({ kind: 'callback.sent', requestId: owner.requestId, callbackId: id, method })
        }
        waiting.set(id, {
          owner,
          method,
          sentAt: performance.now(),
          resolve(reply) {
            try {
              resolve(read(reply))
            } catch (error) {
              void unwatched(promise)
              reject(error)
            }
          },
          reject(error) {
            void unwatched(promise)
            reject(error)
          },
        })
        owner.write(request)
      })
      return promise
    },

    settle(id, fields, text, { pinned, via }) {
      const key = String(id)
      const callback = typeof id === 'string' ? waiting.get(id) : undefined
      if (callback === undefined) {
        const late = abandoned.get(key)
        if (late !== undefined) {
          abandoned.delete(key)
          resolved(key, late, 'result' in fields ? 'result' : 'error', via)
          return null
        }
        if (history.enabled) {
          history.record({
            kind: 'callback.foreign',
            callbackId: key.slice(0, 200),
            pinned,
          })
        }
        return `Response with id '${key.slice(0, 200)}' has no pending request`
      }
      waiting.delete(key)
      const own = byOwner.get(callback.owner)
      own?.delete(key)
      if (own?.size === 0) byOwner.delete(callback.owner)
      const { result } = fields
      if (result === undefined) {
        resolved(key, callback, 'error', via)
        callback.reject(replyError(fields['error']))
        return null
      }
      const problem = resultProblem(callback.method, result)
      resolved(key, callback, problem === null ? 'result' : 'error', via)
      if (problem === null) {
        callback.resolve({ result: result as Fields, text })
        return null
      }
      // Stepflow's worker refuses such a reply and leaves its component waiting for ever.
      callback.reject(new ComponentError(`reply to ${callback.method} is wrong: ${problem}`))
      return `Failed to decode message: ${problem}`
    },

    abandon(owner, reason) {
      const own = byOwner.get(owner)
      if (own === undefined) return
      byOwner.delete(owner)
      const error = reason()
      for (const id of own) {
        const callback = waiting.get(id)
        if (callback === undefined) continue
        waiting.delete(id)
        const oldest = abandoned.size < maxAbandoned ? undefined : abandoned.keys().next().value
        if (oldest !== undefined) abandoned.delete(oldest)
        abandoned.set(id, { method: callback.method, sentAt: callback.sentAt })
        callback.reject(error)
      }
    },
  }
}

/** A promise whose rejection may go unseen: a component that does not wait for it must not end the process. */
export function unwatched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** The error of a reply, worded as Stepflow's worker words it. */
function replyError(error: unknown): ComponentError {
  const { code, message, data } = isFields(error) ? error : {}
  return new ComponentError(`JSON-RPC error ${String(code)}: ${String(message)}`, {
    data: data === undefined || data === null ? {} : data,
  })
}

function resultProblem(method: CallbackMethod, result: unknown): string | null {
  if (!isFields(result)) return expected('object', result, '')
  switch (method) {
    case 'blobs/put': {
      const id = result['blob_id']
      if (typeof id === 'string') return null
      return id === undefined ? missingField('blob_id') : expected('str', id, '$.blob_id')
    }
    case 'blobs/get':
      return result['data'] === undefined ? missingField('data') : null
    case 'runs/submit':
    case 'runs/get':
      return typeof result['runId'] === 'string' ? null : missingField('runId')
  }
}
