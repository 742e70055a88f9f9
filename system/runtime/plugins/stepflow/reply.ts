// The reply to a callback: a POST of its own, to the pod that asked.

import { fromJson } from '../../../wire/json.ts'
import type { HttpClient, TransportError } from '../../http/client.ts'
import { createAnswerReader } from './answer.ts'

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

/** Sends `body`; `stop` gives up, after which `done` resolves as not delivered. */
export function sendReply(
  client: HttpClient,
  body: string,
  instanceId: string | null,
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
      let text = ''
      const reader = createAnswerReader((event) => {
        if (event.kind === 'head') status = event.status
        else if (event.kind === 'garbage') text = event.text
        else if (event.kind === 'message' && event.message.kind === 'error') {
          text = event.message.error.message
          const reason = reasonOf(event.message.error.data)
          resolve({ status, problem: text, reason, fatal: status >= 500 || reason !== 'refused' })
        } else if (event.kind === 'too-long') resolve(judge(status, ''))
        else if (event.kind === 'end') {
          if (event.error !== null && status === 0) failed(event.error)
          else resolve(judge(status, text))
        }
      }, maxAnswerBytes)
      abort = client.post(body, instanceId, reader)
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
  // 4xx: the pod has it and will not take it (nobody waits for it any more), which its stream will tell.
  return {
    status,
    problem: `HTTP ${status} ${text.slice(0, 200)}`.trim(),
    reason: 'refused',
    fatal: status >= 500,
  }
}

const reasons: ReadonlySet<unknown> = new Set(['gone', 'unknown', 'no_backend', 'reset', 'timeout'])

function reasonOf(data: string | undefined): string {
  if (data === undefined) return 'refused'
  const value = fromJson(data)
  const reason = typeof value === 'object' && value !== null && 'reason' in value ? value.reason : undefined
  return reasons.has(reason) ? (reason as string) : 'refused'
}
