// A JSON-RPC request with one direct answer: the handshake and the listing of components.

import { GauntletError } from '../../../../contracts/errors.ts'
import { type Json, quote } from '../../../wire/json.ts'
import { encodeNotification, encodeRequest } from '../../../wire/jsonrpc.ts'
import type { HttpClient } from '../../http/client.ts'
import { newId } from '../../ids.ts'
import { createAnswerReader, defaultMaxMessageBytes } from './answer.ts'

/** An exchange that failed. `passing`: trying again later may help. */
export class ExchangeError extends GauntletError {
  readonly passing: boolean

  constructor(problem: string, passing: boolean, cause?: unknown) {
    super('ERR_PLUGIN', problem, cause === undefined ? {} : { cause })
    this.passing = passing
  }
}

/** Statuses by which a balancer says that nobody is there yet. */
const passingStatuses: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])

/**
 * Sends a request and reads its result.
 * @throws ExchangeError
 */
export function exchange(client: HttpClient, method: string, params: Json, timeoutMs: number): Promise<Json> {
  const id = quote(newId())
  return send<Json>(client, encodeRequest(id, method, params), method, timeoutMs, (event, settle) => {
    if (event.stream) {
      settle.fail(
        `Unexpected SSE response for '${method}': server initiated bidirectional session for a call that doesn't support it`,
        false,
      )
    } else if (event.message === null)
      settle.fail(`HTTP status ${event.status}`, passingStatuses.has(event.status))
    else if (event.message.kind === 'result') settle.done(event.message.result)
    else if (event.message.kind === 'error') {
      const { code, message } = event.message.error
      settle.fail(`component server error(${code}): ${message}`, passingStatuses.has(event.status))
    } else settle.fail(`answered with a ${event.message.kind}`, false)
  })
}

/**
 * Sends a notification; any 2xx is fine.
 * @throws ExchangeError
 */
export function notify(client: HttpClient, method: string, params: Json, timeoutMs: number): Promise<void> {
  return send<void>(client, encodeNotification(method, params), method, timeoutMs, (event, settle) => {
    if (event.status >= 200 && event.status < 300) settle.done()
    else settle.fail(`HTTP status ${event.status}`, passingStatuses.has(event.status))
  })
}

interface Answered {
  readonly status: number
  readonly stream: boolean
  readonly message: import('../../../wire/jsonrpc.ts').RpcMessage | null
}

interface Settle<T> {
  done(value: T): void
  fail(problem: string, passing: boolean): void
}

function send<T>(
  client: HttpClient,
  body: string,
  method: string,
  timeoutMs: number,
  judge: (answered: Answered, settle: Settle<T>) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let status = 0
    let stream = false
    const finish = (): void => {
      clearTimeout(timer)
      if (stream) abort()
    }
    const settle: Settle<T> = {
      done(value) {
        finish()
        resolve(value)
      },
      fail(problem, passing) {
        finish()
        reject(new ExchangeError(`${method}: ${problem}`, passing))
      },
    }
    const reader = createAnswerReader((event) => {
      if (event.kind === 'head') {
        status = event.status
        stream = event.stream
        if (stream) judge({ status, stream, message: null }, settle)
      } else if (event.kind === 'message') judge({ status, stream, message: event.message }, settle)
      else if (event.kind === 'garbage') judge({ status, stream, message: null }, settle)
      else if (event.kind === 'too-long') settle.fail('answer too long', false)
      else if (event.error !== null) settle.fail(event.error.message, true)
    }, defaultMaxMessageBytes)
    const abort = client.post(body, null, reader)
    const timer = setTimeout(() => {
      abort()
      reject(new ExchangeError(`${method}: no answer within ${timeoutMs} ms`, true))
    }, timeoutMs)
  })
}
