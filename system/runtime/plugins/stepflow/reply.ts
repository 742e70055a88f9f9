// The reply to a callback: a POST of its own, to the pod that asked.

import { member, stringOf } from '../../../wire/json.ts'
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
 * Sends `body` and calls `done` once with what became of it.
 * @param moreHead header lines, each with its CRLF
 * @returns what gives it up: it is done then as not delivered
 */
export function sendReply(
  client: HttpClient,
  body: string,
  instanceId: string | null,
  moreHead: string,
  done: (delivery: Delivery) => void,
): Reply {
  const reply = new Reply(client, body, instanceId, moreHead, done)
  reply.send()
  return reply
}

/** A reply on its way. */
export class Reply implements AnswerHandler {
  readonly #client: HttpClient
  readonly #body: string
  readonly #instanceId: string | null
  readonly #moreHead: string
  readonly #done: (delivery: Delivery) => void
  #over = false
  #tries = 0
  #abort: (() => void) | null = null
  #timer: NodeJS.Timeout | undefined
  #status = 0
  #chunks: Buffer[] | null = null
  #bytes = 0

  constructor(
    client: HttpClient,
    body: string,
    instanceId: string | null,
    moreHead: string,
    done: (delivery: Delivery) => void,
  ) {
    this.#client = client
    this.#body = body
    this.#instanceId = instanceId
    this.#moreHead = moreHead
    this.#done = done
  }

  send(): void {
    this.#abort = this.#client.post(this.#body, this.#instanceId, this, this.#moreHead)
  }

  /** Gives up. */
  stop(): void {
    if (this.#over) return
    clearTimeout(this.#timer)
    this.#abort?.()
    this.#end({ status: 0, problem: 'given up: the call has ended', reason: 'call-ended', fatal: false })
  }

  onHead(status: number): void {
    this.#status = status
  }

  onData(chunk: Buffer): void {
    // What a delivered reply is answered with says nothing.
    if (this.#status < 400 || this.#bytes > maxAnswerBytes) return
    this.#bytes += chunk.length
    this.#chunks ??= []
    this.#chunks.push(Buffer.from(chunk))
  }

  onEnd(): void {
    this.#end(judge(this.#status, this.#chunks === null ? '' : Buffer.concat(this.#chunks).toString()))
  }

  onError(error: TransportError): void {
    if (this.#status !== 0) {
      this.#end(judge(this.#status, ''))
      return
    }
    const delay = error.unsent ? retryDelaysMs[this.#tries++] : undefined
    if (delay !== undefined) this.#timer = setTimeout(() => this.send(), delay)
    else this.#end({ status: 0, problem: error.message, reason: error.reason, fatal: true })
  }

  #end(delivery: Delivery): void {
    if (this.#over) return
    this.#over = true
    this.#done(delivery)
  }
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
    const word = stringOf(data === undefined ? undefined : member(data, 'reason')) ?? ''
    return { problem, reason: reasons.has(word) ? word : 'refused' }
  } catch {
    return null
  }
}
