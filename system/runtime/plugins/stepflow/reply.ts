// The reply to a callback: a POST of its own, to the pod that asked.

import { kindOf, member, unquote } from '../../../wire/json.ts'
import { decodeMessage } from '../../../wire/jsonrpc.ts'
import type { AnswerHandler, HttpClient, TransportError } from '../../http/client.ts'

export interface Delivery {
  /** HTTP status it got; 0 for none. */
  readonly status: number
  /** Null: delivered. */
  readonly problem: string | null
  readonly reason: string
  /** The component can never get this reply, so its call must not wait for it. */
  readonly fatal: boolean
}

/** Milliseconds between tries while nobody accepts a connection; only then is a reply sent again. */
const retryDelaysMs: readonly number[] = [50, 150, 400, 800]

/** Bytes of an answer to a reply that are looked at. */
const maxAnswerBytes = 64 * 1024

/**
 * Sends `body`; `stop` gives up, after which `done` resolves as not delivered.
 * @param moreHead header lines, each with its CRLF
 */
export function sendReply(
  client: HttpClient,
  body: string,
  instanceId: string | null,
  moreHead = '',
): { readonly done: Promise<Delivery>; readonly stop: () => void } {
  let stop = (): void => {}
  const done = new Promise<Delivery>((resolve) => {
    let tries = 0
    let abort = (): void => {}
    let timer: NodeJS.Timeout | undefined
    const failed = (error: TransportError): void => {
      const delay = error.unsent ? retryDelaysMs[tries++] : undefined
      if (delay !== undefined) timer = setTimeout(send, delay)
      else resolve({ status: 0, problem: error.message, reason: error.reason, fatal: true })
    }
    const send = (): void => {
      let status = 0
      const chunks: Buffer[] = []
      let bytes = 0
      const handler: AnswerHandler = {
        onHead(code) {
          status = code
        },
        onData(chunk) {
          // What a delivered reply is answered with says nothing.
          if (status < 400 || bytes > maxAnswerBytes) return
          bytes += chunk.length
          chunks.push(Buffer.from(chunk))
        },
        onEnd: () => resolve(judge(status, Buffer.concat(chunks).toString())),
        onError: (error) => (status === 0 ? failed(error) : resolve(judge(status, ''))),
      }
      abort = client.post(body, instanceId, handler, moreHead)
    }
    stop = () => {
      clearTimeout(timer)
      abort()
      resolve({ status: 0, problem: 'given up: the call has ended', reason: 'call-ended', fatal: false })
    }
    send()
  })
  return { done, stop: () => stop() }
}

function judge(status: number, text: string): Delivery {
  if (status < 400) return { status, problem: null, reason: 'delivered', fatal: false }
  const refusal = refusalOf(text)
  if (refusal !== null) return { status, ...refusal, fatal: status >= 500 || refusal.reason !== 'refused' }
  // 4xx: the pod has it and will not take it. Nobody waits for it any more, which its stream will tell; or it could not
  // be read (garbled on its way): then its component would wait for ever.
  const problem = `HTTP ${status} ${text.slice(0, 200)}`.trim()
  return { status, problem, reason: 'refused', fatal: status >= 500 || text.includes(unreadable) }
}

/** What Stepflow's worker and ours say of a message that is no JSON, or not what the protocol has. */
const unreadable = 'Failed to decode message'

const reasons: ReadonlySet<string> = new Set(['gone', 'unknown', 'no_backend', 'reset', 'timeout'])

/** What a JSON-RPC error says; null where the text is none. */
function refusalOf(text: string): { readonly problem: string; readonly reason: string } | null {
  try {
    const message = decodeMessage(text)
    if (message.kind !== 'error') return null
    const { message: problem, data } = message.error
    const reason = data === undefined ? undefined : member(data, 'reason')
    const word = reason !== undefined && kindOf(reason) === 'string' ? unquote(reason) : ''
    return { problem, reason: reasons.has(word) ? word : 'refused' }
  } catch {
    return null
  }
}
