// Reads the answer to one POST: a JSON body as one message, an event stream message by message.

import { Gatherer } from '../../../wire/gather.ts'
import { decodeMessage, type RpcMessage } from '../../../wire/jsonrpc.ts'
import { createSseDecoder, type SseDecoder } from '../../../wire/sse.ts'
import type { AnswerHandler, TransportError } from '../../http/client.ts'

/** Bytes a JSON answer, and characters an event, may have by default. */
export const defaultMaxMessageBytes = 16 * 1024 * 1024

/** What an answer turned out to be. */
export type AnswerEvent =
  | {
      readonly kind: 'head'
      readonly status: number
      readonly stream: boolean
      readonly instanceId: string | undefined
    }
  | { readonly kind: 'message'; readonly message: RpcMessage }
  /** Data that is no JSON-RPC message. */
  | { readonly kind: 'garbage'; readonly text: string; readonly problem: string }
  | { readonly kind: 'too-long'; readonly limitBytes: number }
  /** The answer ended; `error` where the connection broke. */
  | { readonly kind: 'end'; readonly error: TransportError | null }

/** @param on called for each event in order; after `too-long` or `end` no more */
export function createAnswerReader(
  on: (event: AnswerEvent) => void,
  maxMessageBytes: number = defaultMaxMessageBytes,
): AnswerHandler {
  let decoder: SseDecoder | null = null
  const body = new Gatherer()
  let over = false

  const finish = (event: AnswerEvent): void => {
    over = true
    body.take()
    on(event)
  }
  const read = (text: string): void => {
    if (over) return
    let message: RpcMessage
    try {
      message = decodeMessage(text)
    } catch (error) {
      on({ kind: 'garbage', text, problem: error instanceof Error ? error.message : String(error) })
      return
    }
    on({ kind: 'message', message })
  }
  const guard = (work: () => void): void => {
    if (over) return
    try {
      work()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_LIMIT')) throw error
      finish({ kind: 'too-long', limitBytes: maxMessageBytes })
    }
  }
  return {
    onHead(status, contentType, instanceId) {
      const stream = contentType.includes('text/event-stream')
      if (stream) decoder = createSseDecoder(read, maxMessageBytes)
      on({ kind: 'head', status, stream, instanceId })
    },
    onData(chunk, last) {
      if (decoder !== null) {
        const stream = decoder
        return guard(() => stream.push(chunk))
      }
      if (over) return
      if (body.length + chunk.length > maxMessageBytes) {
        finish({ kind: 'too-long', limitBytes: maxMessageBytes })
      } else body.add(chunk, last)
    },
    onEnd() {
      if (decoder !== null) {
        const stream = decoder
        guard(() => stream.end())
      } else if (!over) read(body.take().toString())
      if (!over) finish({ kind: 'end', error: null })
    },
    onError(error) {
      if (!over) finish({ kind: 'end', error })
    },
  }
}
