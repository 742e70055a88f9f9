// One request's way to a pod and its answer's way back: re-framed, bounded, counted, and never sent twice.

import type { HistoryWriter } from '../program/history.ts'
import type { Client } from './accept.ts'
import { BodyReader, bodyBad, bodyDone, bodyPiece } from './body.ts'
import { type AnswerHead, interimProblem, readAnswerHead } from './head/answer.ts'
import { chunkedBody, type RequestHead } from './head/request.ts'
import { isChunkedTo, writeAnswerHead, writeRequestHead } from './head/write.ts'
import type { Metrics } from './metrics.ts'
import type { Pod, Pods, PodWatcher } from './pods.ts'
import { errorEvent, errorMessage, type Reason, refusalText } from './refuse.ts'
import { findRequestId, maxLookBytes } from './request-id.ts'
import type { ConnectFailure, Upstream, UpstreamPool, UpstreamUser } from './upstream.ts'
import { completeUtf8 } from './utf8.ts'
import type { Wheel } from './wheel.ts'

/** What all exchanges of one event loop share. */
export interface Relay {
  readonly pods: Pods
  readonly pool: UpstreamPool
  readonly wheel: Wheel
  readonly watcher: PodWatcher
  readonly metrics: Metrics
  readonly history: HistoryWriter
  readonly limits: RelayLimits
  /** See forwardedBy(). */
  readonly forwardedBy: string
  /** Set once the program is stopping: answers say `Connection: close`. */
  draining: boolean
}

export interface RelayLimits {
  readonly maxBodyBytes: number
  /** Pods tried for one request as long as none of its bytes was sent. */
  readonly maxAttempts: number
}

/** Bodies up to this many bytes travel as text, in one write with their head; longer ones are copied once. */
const textBytes = 16_384

/** The last fields of every forwarded request; `pod` names this balancer to the pods (RFC 9110 7.6.3). */
export function forwardedBy(pod: string): string {
  return `Via: 1.1 ${pod.replaceAll(/[^\w.-]/g, '-')}\r\nX-Forwarded-By: stepflow-load-balancer\r\n\r\n`
}

/** Interim (1xx) answers to one request. */
const maxInterims = 16

/** HTTP status of each reason. A client may try again elsewhere or later, but for `gone`. */
const statusOf = {
  unknown: 503,
  gone: 503,
  no_backend: 503,
  reset: 502,
  timeout: 504,
  bad_answer: 502,
} as const

/** Status under which a request is counted whose client left before its answer. */
const clientLeft = 499

export class Exchange implements UpstreamUser {
  readonly #relay: Relay
  readonly #client: Client
  readonly #head: RequestHead
  readonly #startedMs: number
  /** Null: the request has no body, or it is complete. */
  #body: BodyReader | null
  #bodyBytes = 0
  /** Head and body bytes that wait for a connection. */
  #pending = ''
  /** Start of the body as it came, for the id of an error. */
  #look = ''
  #pod: Pod | null = null
  #upstream: Upstream | null = null
  #tried: number[] | null = null
  #answer: AnswerHead | null = null
  #answerBody: BodyReader | null = null
  /** An answer's head of which only a part has arrived. */
  #answerStart: Buffer | null = null
  /** The answer goes out in chunks. */
  #chunked = false
  #interims = 0
  #isOpenStream = false
  /** JSON-RPC id of a request that was answered by a stream. */
  #streamId = 'null'
  /** UTF-8 bytes of a character whose rest has not arrived, and the last bytes written, of a stream. */
  #tail = ''
  #lastText = ''
  #keepAlive: boolean
  #over = false

  constructor(relay: Relay, client: Client, head: RequestHead) {
    this.#relay = relay
    this.#client = client
    this.#head = head
    this.#startedMs = performance.now()
    this.#keepAlive = head.keepAlive
    this.#body =
      head.bodyBytes === 0
        ? null
        : new BodyReader(head.bodyBytes === chunkedBody ? 'chunked' : 'length', head.bodyBytes)
  }

  /** The request's body is complete. */
  get bodyDone(): boolean {
    return this.#body === null
  }

  /** Starts with what came behind the head. Returns the position behind this request's bytes. */
  start(bytes: Buffer, pos: number, end: number): number {
    const { limits } = this.#relay
    if (this.#head.bodyBytes > limits.maxBodyBytes) {
      this.#refuse(413, 'limit', `the body is over ${limits.maxBodyBytes} bytes`)
      return end
    }
    this.#pending = writeRequestHead(this.#head)
    const behind = this.#readBody(bytes, pos, end)
    if (!this.#over) this.#route()
    return behind
  }

  /** Further bytes of the client while the body is not complete. Returns the position behind the body. */
  onRequestBytes(bytes: Buffer, pos: number, end: number): number {
    return this.#readBody(bytes, pos, end)
  }

  /** The client can take more of the answer. */
  onClientDrained(): void {
    this.#upstream?.link.resume()
  }

  /** The client is gone or too slow: the pod must learn it at once. */
  abort(): void {
    if (this.#over) return
    this.#finish(this.#answer?.status ?? clientLeft)
    this.#dropUpstream()
  }

  /** The client did not send its body in time. */
  bodyTimedOut(): void {
    this.#fail(408, 'limit', 'the body did not arrive in time')
  }

  // ---- the request ------------------------------------------------------------------------------------

  #readBody(bytes: Buffer, pos: number, end: number): number {
    const body = this.#body
    if (body === null) return pos
    const chunked = this.#head.bodyBytes === chunkedBody
    for (;;) {
      const step = body.next(bytes, pos, end)
      if (step === bodyPiece) {
        this.#bodyBytes += body.to - body.from
        if (chunked && this.#bodyBytes > this.#relay.limits.maxBodyBytes) {
          this.#fail(413, 'limit', `the body is over ${this.#relay.limits.maxBodyBytes} bytes`)
          return end
        }
        this.#forwardBody(bytes, body.from, body.to, chunked)
        pos = body.pos
        if (!body.done) continue
      } else if (step === bodyBad) {
        this.#fail(400, 'bad_request', body.problem)
        return end
      } else if (step !== bodyDone) return end
      this.#body = null
      if (chunked) this.#send('0\r\n\r\n')
      return body.pos
    }
  }

  #forwardBody(bytes: Buffer, from: number, to: number, chunked: boolean): void {
    const length = to - from
    const upstream = this.#upstream
    if (upstream?.connected && length > textBytes) {
      if (this.#look.length < maxLookBytes) this.#look += bytes.toString('latin1', from, from + maxLookBytes)
      const head = chunked ? `${length.toString(16)}\r\n` : ''
      const copy = Buffer.allocUnsafe(head.length + length + (chunked ? 2 : 0))
      copy.write(head, 'latin1')
      bytes.copy(copy, head.length, from, to)
      if (chunked) copy.write('\r\n', head.length + length, 'latin1')
      if (!upstream.link.writeBytes(copy)) this.#client.pause()
      return
    }
    const text = bytes.toString('latin1', from, to)
    if (this.#look.length < maxLookBytes) this.#look += text
    this.#send(chunked ? `${length.toString(16)}\r\n${text}\r\n` : text)
  }

  /** Sends request text, or keeps it until there is a connection; one read's worth at most. */
  #send(text: string): void {
    const upstream = this.#upstream
    if (!upstream?.connected) {
      this.#pending += text
      if (this.#pod !== null) this.#client.pause()
    } else if (!upstream.link.writeText(text)) this.#client.pause()
  }

  // ---- the pod ----------------------------------------------------------------------------------------

  #route(): void {
    const { pods, watcher } = this.#relay
    const { instanceId } = this.#head
    if (instanceId === null) {
      const pod = pods.pick(null)
      if (pod === null) this.#refuse(503, 'no_backend', 'no component server takes work')
      else this.#sendTo(pod)
      return
    }
    const holder = pods.affinity.holder(instanceId)
    if (holder !== undefined) {
      this.#sendTo(holder)
      return
    }
    this.#client.pause()
    watcher.seek(instanceId, (pod) => {
      if (this.#over) return
      if (pod !== null) return this.#sendTo(pod)
      const reason = pods.affinity.isGone(instanceId) ? 'gone' : 'unknown'
      this.#refuse(503, reason, `instance ${instanceId} is ${reason}`, { instanceId })
    })
  }

  #sendTo(pod: Pod): void {
    const { pods, pool } = this.#relay
    this.#pod = pod
    pods.enter(pod)
    const idle = pool.take(pod, this)
    if (idle === null) {
      if (this.#body !== null) this.#client.pause()
      this.#upstream = pool.connect(pod, this)
      return
    }
    this.#upstream = idle
    this.#flush(idle)
  }

  onConnected(): void {
    this.#flush(this.#upstream!)
  }

  #flush(upstream: Upstream): void {
    const text = this.#pending
    this.#pending = ''
    const { pod } = upstream
    const flowing = upstream.link.writeText(text)
    this.#relay.metrics.sent(pod)
    if (this.#head.expectsContinue && this.#body !== null)
      this.#client.link.writeText('HTTP/1.1 100 Continue\r\n\r\n')
    if (flowing) this.#client.resume()
    else this.#client.pause()
  }

  onConnectFailed(failure: ConnectFailure): void {
    const { pods, watcher, metrics, limits } = this.#relay
    const pod = this.#pod!
    pods.leave(pod)
    this.#pod = null
    this.#upstream = null
    if (failure === 'exhausted') {
      this.#refuse(503, 'limit', 'the balancer has no descriptor left', { backend: pod.key })
      return
    }
    watcher.onFault(pod, failure)
    const { instanceId } = this.#head
    if (instanceId !== null) {
      const reason = failure === 'timeout' ? 'timeout' : 'gone'
      this.#refuse(statusOf[reason], reason, `instance ${instanceId} at ${pod.key}: connection ${failure}`, {
        instanceId,
        backend: pod.key,
      })
      return
    }
    // Not a byte was sent, so another pod may have it.
    this.#tried ??= []
    this.#tried.push(pod.slot)
    const next = this.#tried.length < limits.maxAttempts ? pods.pick(this.#tried) : null
    if (next !== null) {
      metrics.retried()
      this.#sendTo(next)
      return
    }
    const reason = failure === 'timeout' ? 'timeout' : 'no_backend'
    this.#refuse(statusOf[reason], reason, `connection to ${pod.key} ${failure}`, { backend: pod.key })
  }

  // ---- the answer -------------------------------------------------------------------------------------

  onAnswerBytes(bytes: Buffer, start: number, end: number): void {
    let text = ''
    if (this.#answer === null) {
      if (this.#answerStart !== null) {
        bytes = Buffer.concat([this.#answerStart, bytes.subarray(start, end)])
        start = 0
        end = bytes.length
        this.#answerStart = null
      }
      let head = readAnswerHead(bytes, start, end, this.#head.method)
      // Interim answers end here: the client has had its 100 from us, and needs no other.
      while (head.kind === 'head' && head.status < 200) {
        const problem = ++this.#interims > maxInterims ? 'endless interim answers' : interimProblem(head)
        if (problem !== null) {
          this.#badAnswer(problem)
          return
        }
        start = head.end
        head = start < end ? readAnswerHead(bytes, start, end, this.#head.method) : { kind: 'incomplete' }
      }
      if (head.kind === 'incomplete') {
        this.#answerStart = Buffer.from(bytes.subarray(start, end))
        return
      }
      if (head.kind === 'bad') {
        this.#badAnswer(head.problem)
        return
      }
      text = this.#beginAnswer(head)
      start = head.end
      if (this.#answerBody === null) {
        if (start !== end) {
          this.#withdrawAnswer('more bytes than it announced')
          return
        }
        this.#commitAnswer(head)
        this.#client.link.writeText(text)
        this.#complete(true)
        return
      }
    }
    this.#forwardAnswer(text, bytes, start, end)
  }

  /** Decides how the answer goes to the client and returns its head. */
  #beginAnswer(head: AnswerHead): string {
    const { watcher, draining } = this.#relay
    const pod = this.#pod!
    this.#answer = head
    if (head.body !== 'none') {
      this.#answerBody = new BodyReader(head.body, head.contentLength)
    }
    if (head.instanceId !== null && head.instanceId !== pod.instanceId)
      watcher.onInstance(pod, head.instanceId)
    // A body that is still coming would be taken for the next request.
    if (draining || this.#body !== null) this.#keepAlive = false
    this.#chunked = isChunkedTo(head, this.#head.old)
    // Only the end of the connection ends this body.
    if (this.#answerBody !== null && head.contentLength === -1 && !this.#chunked) this.#keepAlive = false
    return writeAnswerHead(head, this.#head.old, this.#head.instanceId, !this.#keepAlive)
  }

  /** The answer's first bytes are about to leave. */
  #commitAnswer(head: AnswerHead): void {
    const { metrics, history } = this.#relay
    const pinned = this.#head.instanceId
    if (head.stream) {
      this.#isOpenStream = true
      this.#streamId = findRequestId(this.#look)
      metrics.openStreams++
    }
    // What an error would have told the client of its request is of no use any more.
    this.#look = ''
    if (history.enabled) {
      history.record({
        kind: 'request.routed',
        backend: this.#pod!.key,
        ...(pinned === null ? {} : { pinned }),
        ...(head.instanceId === null ? {} : { instanceId: head.instanceId }),
        stream: head.stream,
        status: head.status,
      })
    }
  }

  #forwardAnswer(text: string, bytes: Buffer, pos: number, end: number): void {
    const body = this.#answerBody!
    const { stream } = this.#answer!
    const chunked = this.#chunked
    const { link } = this.#client
    const first = text !== ''
    let payload = stream ? this.#tail : ''
    let step: number
    let flowing = true
    for (;;) {
      step = body.next(bytes, pos, end)
      if (step !== bodyPiece) break
      const length = body.to - body.from
      if (!stream && length > textBytes) {
        if (first && text !== '') this.#commitAnswer(this.#answer!)
        flowing = this.#forwardBytes(text, payload, bytes, body.from, body.to, chunked)
        text = payload = ''
      } else payload += bytes.toString('latin1', body.from, body.to)
      pos = body.pos
    }
    if (stream) {
      const whole = step === bodyDone ? payload.length : completeUtf8(payload)
      this.#tail = payload.slice(whole)
      payload = payload.slice(0, whole)
      if (payload !== '') this.#lastText = (this.#lastText + payload).slice(-4)
    }
    if (first && text !== '' && (step === bodyBad || (step === bodyDone && body.pos !== end))) {
      this.#withdrawAnswer(step === bodyBad ? body.problem : 'more bytes than it announced')
      return
    }
    if (first && text !== '') this.#commitAnswer(this.#answer!)
    if (payload !== '') text += chunked ? `${payload.length.toString(16)}\r\n${payload}\r\n` : payload
    if (step === bodyDone && chunked) text += '0\r\n\r\n'
    if (text !== '') flowing = link.writeText(text)
    if (step === bodyBad) {
      this.#badAnswer(body.problem)
      return
    }
    if (step === bodyDone) {
      this.#complete(body.pos === end)
      return
    }
    if (!flowing) {
      this.#upstream!.link.pause()
      this.#client.stalled()
    }
  }

  /** Forwards a long piece in one write with what stands before it. */
  #forwardBytes(
    text: string,
    before: string,
    bytes: Buffer,
    from: number,
    to: number,
    chunked: boolean,
  ): boolean {
    const length = before.length + to - from
    const head = text + (chunked ? `${length.toString(16)}\r\n` : '') + before
    const copy = Buffer.allocUnsafe(head.length + to - from + (chunked ? 2 : 0))
    copy.write(head, 'latin1')
    bytes.copy(copy, head.length, from, to)
    if (chunked) copy.write('\r\n', copy.length - 2, 'latin1')
    return this.#client.link.writeBytes(copy)
  }

  onUpstreamDrained(): void {
    if (!this.#over) this.#client.resume()
  }

  onAnswerEnd(): void {
    if (this.#answer !== null && this.#answer.body === 'close') {
      let text = this.#tail
      if (this.#chunked) {
        if (text !== '') text = `${text.length.toString(16)}\r\n${text}\r\n`
        text += '0\r\n\r\n'
      }
      this.#client.link.writeText(text)
      this.#complete(false)
      return
    }
    this.onAnswerLost()
  }

  onAnswerLost(): void {
    const pod = this.#pod!
    this.#relay.watcher.onFault(pod, 'reset')
    this.#fail(statusOf.reset, 'reset', `${pod.key} closed the connection before its answer was complete`, {
      backend: pod.key,
    })
  }

  /** The answer's framing is wrong, so whose answer is it? Nothing of it has been sent yet. */
  #withdrawAnswer(problem: string): void {
    this.#answer = null
    this.#badAnswer(problem)
  }

  #badAnswer(problem: string): void {
    const pod = this.#pod!
    this.#fail(statusOf.bad_answer, 'bad_answer', `${pod.key} answered with ${problem}`, { backend: pod.key })
  }

  // ---- ends -------------------------------------------------------------------------------------------

  /** The answer is complete. `clean`: nothing stands behind it on the pod's connection. */
  #complete(clean: boolean): void {
    const upstream = this.#upstream!
    const answer = this.#answer!
    this.#upstream = null
    if (clean && answer.keepAlive && this.#body === null) this.#relay.pool.giveBack(upstream)
    else upstream.discard()
    const close = !this.#keepAlive
    this.#finish(answer.status)
    this.#client.exchangeDone(close)
  }

  /** Something broke, at any stage: answers if nothing was answered yet, else ends the answer visibly short. */
  #fail(status: number, reason: Reason, message: string, data: object = {}): void {
    if (this.#over) return
    this.#dropUpstream()
    const answer = this.#answer
    if (answer === null) {
      this.#refuse(status, reason, message, data)
      return
    }
    this.#relay.metrics.brokenAnswers++
    const { link } = this.#client
    if (answer.stream && this.#chunked) {
      // The client's reader takes whole events: close the one that was cut, then say what happened.
      const gap = this.#lastText === '' || /(?:\n\n|\r\n\r\n)$/.test(this.#lastText) ? '' : '\n\n'
      const event = gap + errorEvent(this.#streamId, reason, message, data)
      link.writeText(`${event.length.toString(16)}\r\n${event}\r\n`)
    }
    this.#finish(answer.status)
    // Without the last chunk, or short of its length, the answer is plainly cut. Where only the end of the
    // connection ends the body, it takes a reset to say so.
    this.#client.cut(answer.contentLength === -1 && this.#head.old)
  }

  /** Answers in the pod's stead. */
  #refuse(status: number, reason: Reason, message: string, data: object = {}): void {
    const { history, metrics, draining } = this.#relay
    const pinned = this.#head.instanceId
    if (history.enabled) {
      history.record({
        kind: 'request.routed',
        ...(this.#pod === null ? {} : { backend: this.#pod.key }),
        ...(pinned === null ? {} : { pinned }),
        stream: false,
        status,
        reason,
      })
    }
    metrics.refused(status, reason)
    const close = !this.#keepAlive || draining || this.#body !== null
    const extra = pinned === null ? '' : `X-Stepflow-Routed-Instance: ${pinned}\r\n`
    const body = errorMessage(findRequestId(this.#look), reason, message, data)
    this.#dropUpstream()
    this.#client.link.writeText(refusalText(status, body, close, extra, this.#head.method === 'HEAD'))
    this.#finish(status)
    this.#client.exchangeDone(close)
  }

  #dropUpstream(): void {
    this.#upstream?.discard()
    this.#upstream = null
  }

  #finish(status: number): void {
    if (this.#over) return
    this.#over = true
    const { pods, metrics } = this.#relay
    if (this.#isOpenStream) metrics.openStreams--
    const pod = this.#pod
    if (pod === null) return
    this.#pod = null
    pods.leave(pod)
    metrics.finished(pod, this.#head.method, status, performance.now() - this.#startedMs)
  }
}
