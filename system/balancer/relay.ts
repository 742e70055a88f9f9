// One request's way to a pod and its answer's way back: re-framed, bounded, counted, and never sent twice.

import type { HistoryWriter } from '../program/history.ts'
import { notWritten, type WriteResult, waits } from '../program/link.ts'
import type { SpanExporter } from '../program/spans.ts'
import type { Client } from './accept.ts'
import type { AccessLog } from './access-log.ts'
import { BodyReader, bodyBad, bodyDone, bodyPiece } from './body.ts'
import type { Callbacks, Waiting } from './callbacks.ts'
import { EventStream } from './event-stream.ts'
import { type AnswerHead, interimProblem, readAnswerHead } from './head/answer.ts'
import { withoutFields } from './head/bytes.ts'
import type { HeadMemo } from './head/memo.ts'
import { PackedHead, roomBytes } from './head/packed.ts'
import { chunkedBody, type RequestHead } from './head/request.ts'
import { isChunkedTo, writeAnswerHead, writeRequestHead } from './head/write.ts'
import type { RelayLimits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { defaultPool, type Pod, type Pods, type PodWatcher } from './pods.ts'
import { errorEvent, errorMessage, type Reason, refusalText } from './refuse.ts'
import { findRequestId, maxLookBytes } from './request-id.ts'
import type { RetryBudget } from './retry-budget.ts'
import { type Routing, type Rule, routeByRules } from './rules.ts'
import { beginSpan, endSpan, type Span, spanLine } from './trace.ts'
import type { ConnectFailure, Upstream, UpstreamPool, UpstreamUser } from './upstream.ts'
import type { Wheel } from './wheel.ts'

/** What all exchanges of one event loop share. */
export interface Relay {
  readonly pods: Pods
  readonly pool: UpstreamPool
  readonly wheel: Wheel
  readonly watcher: PodWatcher
  readonly metrics: Metrics
  readonly history: HistoryWriter
  readonly budget: RetryBudget
  readonly callbacks: Callbacks
  readonly random: () => number
  readonly requestHeads: HeadMemo<RequestHead>
  /** Our Via field line. */
  readonly via: string
  /** Null: it puts no spans of its own into traces. */
  readonly spans: SpanExporter | null
  /** From here on changed by a reload; requests under way keep what they began with. */
  limits: RelayLimits
  rules: readonly Rule[]
  accessLog: AccessLog | null
  /** Set once the program is stopping: answers say `Connection: close`. */
  draining: boolean
}

/** As a global it is looked up by an accessor, at every use. */
const clock = performance

/** Bodies up to this many bytes travel as text, in one write with their head; longer ones are copied once. */
const textBytes = 16_384

/** Pods that are silent take their whole time to connect: after this no other is tried, as the client waits, ms. */
const lastTryMs = 5_000

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

export class Exchange implements UpstreamUser, Waiting {
  readonly #relay: Relay
  readonly #client: Client
  readonly #head: RequestHead
  readonly #startedMs: number
  /** Null: the request has no body, or it is complete. */
  #body: BodyReader | null = null
  #bodyBytes = 0
  /** When the client must have sent more of it, by the wheel's clock, ms. */
  #bodyDueMs = 0
  /** The head and `#look` are the whole request, and wait for a connection. */
  #whole = false
  /** Otherwise: head and body bytes that wait for a connection. */
  #pending = ''
  /** Start of the body as it came, for rules and for the id of an error. */
  #look = ''
  /** The pod cannot be chosen yet: rules wait for the component's name. */
  #undecided = false
  #pools: readonly string[] = []
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
  /** Set while an SSE answer is forwarded. */
  #events: EventStream | null = null
  /** JSON-RPC id of the request, once its answer is a stream. */
  #streamId = 'null'
  /** When the pod last sent a part of the stream. */
  #heardMs = 0
  #stalled = false
  #span: Span | null = null
  #keepAlive: boolean
  #over = false

  constructor(relay: Relay, client: Client, head: RequestHead) {
    this.#relay = relay
    this.#client = client
    this.#head = head
    this.#startedMs = clock.now()
    this.#keepAlive = head.keepAlive
  }

  /** The request's body is complete. */
  get bodyDone(): boolean {
    return this.#body === null
  }

  // ---- what the client does ---------------------------------------------------------------------------

  /** Starts with what came behind the head. Returns the position behind this request's bytes. */
  start(bytes: Buffer, pos: number, end: number): number {
    const { limits, budget, spans, via } = this.#relay
    const head = this.#head
    const { bodyBytes } = head
    budget.earn()
    if (bodyBytes !== 0) {
      this.#body = new BodyReader(bodyBytes === chunkedBody ? 'chunked' : 'length', bodyBytes)
      this.#bodyDueMs = this.#relay.wheel.nowMs + limits.bodyTimeoutMs
      if (bodyBytes > limits.maxBodyBytes) {
        this.#refuse(413, 'limit', `the body is over ${limits.maxBodyBytes} bytes`)
        return end
      }
    }
    if (spans !== null) this.#pending = this.#tracedHead()
    else {
      // One that comes again is worth a form that is written faster.
      if (head.written !== null) head.packed ??= new PackedHead(head.written)
      head.written ??= writeRequestHead(head, via)
      this.#whole = bodyBytes !== chunkedBody && bodyBytes <= Math.min(roomBytes, end - pos)
      if (!this.#whole) this.#pending = head.written
    }
    if (this.#whole) {
      if (bodyBytes > 0) this.#look = bytes.toString('latin1', pos, pos + bodyBytes)
      this.#body = null
      pos += bodyBytes
    } else pos = this.#readBody(bytes, pos, end)
    if (!this.#over) this.#route()
    if (!this.#over) this.#setDeadline()
    return pos
  }

  /** Further bytes while the body is not complete. Returns the position behind the body. */
  onRequestBytes(bytes: Buffer, pos: number, end: number): number {
    const before = this.#bodyBytes
    pos = this.#readBody(bytes, pos, end)
    this.#earnBodyTime(this.#bodyBytes - before)
    if (!this.#over && this.#undecided) this.#route()
    if (!this.#over) this.#setDeadline()
    return pos
  }

  /** The client can take more of the answer. */
  onClientDrained(): void {
    this.#stalled = false
    this.#upstream?.link.resume()
    this.#setDeadline()
  }

  /** The client is gone or too slow: the pod must learn it at once. */
  abort(): void {
    if (this.#over) return
    this.#dropUpstream()
    this.#finish(this.#answer?.status ?? clientLeft, null)
  }

  /** The deadline that `#setDeadline` set has passed. */
  onDeadline(): void {
    const { limits, wheel } = this.#relay
    if (this.#waitsForBody) this.#fail(408, 'limit', 'the body did not arrive in time')
    else if (this.#stalled) this.#client.destroy()
    else if (this.#body !== null) this.#fail(504, 'timeout', `the pod takes no more of the body`)
    else if (limits.streamIdleMs > 0 && wheel.nowMs - this.#heardMs >= limits.streamIdleMs) {
      this.#fail(504, 'timeout', `no event for ${limits.streamIdleMs} ms`)
    } else {
      this.#beat()
      this.#setDeadline()
    }
  }

  /** So many bytes came: what they are worth at the least rate is added to the time for the rest. */
  #earnBodyTime(bytes: number): void {
    const { limits, wheel } = this.#relay
    const worthMs =
      limits.minBodyBytesPerSecond === 0 ? Infinity : (bytes * 1_000) / limits.minBodyBytesPerSecond
    if (bytes > 0) this.#bodyDueMs = Math.min(this.#bodyDueMs + worthMs, wheel.nowMs + limits.bodyTimeoutMs)
  }

  /** The pod takes the body again: the client had to wait meanwhile, and gets its time anew. */
  #resumeBody(): void {
    const { limits, wheel } = this.#relay
    this.#client.resume()
    if (this.#body === null) return
    this.#bodyDueMs = wheel.nowMs + limits.bodyTimeoutMs
    this.#setDeadline()
  }

  /** The client owes us body bytes. While the pod takes none, or is not connected yet, it does not. */
  get #waitsForBody(): boolean {
    return this.#body !== null && !this.#client.paused
  }

  #setDeadline(): void {
    const { limits, wheel } = this.#relay
    if (this.#waitsForBody) this.#client.arm(Math.max(1, this.#bodyDueMs - wheel.nowMs))
    // The pod takes none of the body: nobody reads from the client meanwhile, who may have left unseen.
    else if (this.#stalled || this.#body !== null) this.#client.arm(limits.stallTimeoutMs)
    else if (this.#events !== null && (limits.heartbeatMs > 0 || limits.streamIdleMs > 0)) {
      this.#client.arm(Math.min(limits.heartbeatMs || Infinity, limits.streamIdleMs || Infinity))
    } else this.#client.hold()
  }

  // ---- the request ------------------------------------------------------------------------------------

  #tracedHead(): string {
    this.#span = beginSpan(this.#head.traceparent)
    const fields = withoutFields(this.#head.fields, ['traceparent'])
    return writeRequestHead({ ...this.#head, fields }, this.#relay.via + spanLine(this.#span))
  }

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
      if (this.#look.length < maxLookBytes) this.#look += bytes.toString('latin1', from, to)
      this.#afterWrite(
        upstream.link.writeBytes(
          framed(chunked ? `${length.toString(16)}\r\n` : '', bytes, from, to, chunked),
        ),
      )
      return
    }
    const text = bytes.toString('latin1', from, to)
    if (this.#look.length < maxLookBytes) this.#look += text
    this.#send(chunked ? `${length.toString(16)}\r\n${text}\r\n` : text)
  }

  /** Sends request text, or keeps it until there is a connection: what one read brought, or rules wait for. */
  #send(text: string): void {
    const upstream = this.#upstream
    if (upstream?.connected) this.#afterWrite(upstream.link.writeText(text))
    else {
      this.#pending += text
      if (!this.#undecided && this.#pod !== null) this.#client.pause()
    }
  }

  #afterWrite(result: WriteResult): void {
    if (result === waits) this.#client.pause()
  }

  // ---- the pod ----------------------------------------------------------------------------------------

  #route(): void {
    const { pods, rules, random, watcher } = this.#relay
    const { instanceId } = this.#head
    if (instanceId === null) {
      const complete = this.#body === null || this.#look.length >= maxLookBytes
      const routing: Routing =
        rules.length === 0 ? toDefault : routeByRules(rules, this.#look, complete, random)
      this.#undecided = routing === 'more'
      if (routing === 'more') return
      this.#pools = routing
      const pod = this.#pick()
      if (pod === null) this.#refuse(503, 'no_backend', 'no component server takes work')
      else this.#sendTo(pod)
      return
    }
    const holder = pods.holder(instanceId)
    if (holder !== undefined) {
      pods.enter(holder)
      this.#sendTo(holder)
      return
    }
    if (this.#body !== null) this.#client.pause()
    watcher.seek(instanceId, (sought) => {
      if (this.#over) return
      const pod = 'key' in sought ? pods.get(sought.key) : undefined
      if (pod !== undefined) {
        pods.enter(pod)
        this.#sendTo(pod)
        return
      }
      const reason = 'reason' in sought ? sought.reason : 'gone'
      this.#refuse(503, reason, `instance ${instanceId} is ${reason}`, { instanceId })
    })
  }

  /** A pod for new work, which is counted from here on. */
  #pick(): Pod | null {
    for (const pool of this.#pools) {
      const pod = this.#relay.pods.pick(pool, this.#tried)
      if (pod !== null) return pod
    }
    return null
  }

  /** Sends to a pod for which the request is counted. */
  #sendTo(pod: Pod): void {
    const { pool } = this.#relay
    this.#pod = pod
    for (;;) {
      const idle = pool.take(pod, this)
      if (idle === null) break
      if (this.#flush(idle)) return
      // It broke while it was idle, and not a byte left: another one may do.
      this.#relay.metrics.totals.retries++
      idle.discard()
    }
    if (this.#body !== null) this.#client.pause()
    this.#upstream = pool.connect(pod, this)
  }

  onConnected(): void {
    const upstream = this.#upstream!
    if (this.#flush(upstream)) return
    upstream.discard()
    this.onConnectFailed('reset')
  }

  /** Writes what waits. False: not a byte of it was written. */
  #flush(upstream: Upstream): boolean {
    const result = this.#whole ? this.#writeWhole(upstream) : upstream.link.writeText(this.#pending)
    if (result === notWritten) return false
    this.#upstream = upstream
    this.#whole = false
    this.#pending = ''
    this.#relay.metrics.totals.requestsSent++
    if (this.#head.expectsContinue && this.#body !== null) {
      this.#client.link.writeText('HTTP/1.1 100 Continue\r\n\r\n')
    }
    if (result === waits) this.#client.pause()
    else this.#resumeBody()
    return true
  }

  #writeWhole({ link }: Upstream): WriteResult {
    const { packed, written } = this.#head
    return packed === null ? link.writeText(written! + this.#look) : link.writePackedText(packed, this.#look)
  }

  onConnectFailed(failure: ConnectFailure): void {
    const { pods, watcher, metrics, limits, budget } = this.#relay
    const pod = this.#pod!
    pods.leave(pod)
    this.#pod = null
    this.#upstream = null
    if (failure === 'exhausted') {
      this.#refuse(503, 'limit', 'the balancer has no descriptor left', { backend: pod.key })
      return
    }
    watcher.onFault(pod.key, failure)
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
    if (this.#tried.length < limits.maxAttempts) {
      const inTime = clock.now() - this.#startedMs < lastTryMs
      if (inTime && !budget.spend()) metrics.totals.retriesDenied++
      else if (inTime) {
        const next = this.#pick()
        if (next !== null) {
          metrics.totals.retries++
          this.#sendTo(next)
          return
        }
      }
    }
    const reason = failure === 'timeout' ? 'timeout' : 'no_backend'
    this.#refuse(statusOf[reason], reason, `connection to ${pod.key} ${failure}`, { backend: pod.key })
  }

  // ---- the answer -------------------------------------------------------------------------------------

  onAnswerBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#answer !== null) {
      this.#forwardAnswer('', bytes, start, end)
      return
    }
    if (this.#answerStart !== null) {
      bytes = Buffer.concat([this.#answerStart, bytes.subarray(start, end)])
      start = 0
      end = bytes.length
      this.#answerStart = null
    }
    const { method } = this.#head
    const { answerHeads } = this.#pod!
    const known = method === 'HEAD' ? null : answerHeads.find(bytes, start, end)
    if (known !== null && this.#isWhole(known, end - start)) {
      this.#forwardWhole(known, bytes, start + known.length, end)
      return
    }
    let head = known ?? readAnswerHead(bytes, start, end, method)
    // Interim answers end here: the client has had its 100 from us, and needs no other.
    while (head.kind === 'head' && head.status < 200) {
      const problem = ++this.#interims > maxInterims ? 'endless interim answers' : interimProblem(head)
      if (problem !== null) {
        this.#badAnswer(problem)
        return
      }
      start += head.length
      head = start < end ? readAnswerHead(bytes, start, end, method) : { kind: 'incomplete' }
    }
    if (head.kind === 'incomplete') {
      this.#answerStart = Buffer.from(bytes.subarray(start, end))
      return
    }
    if (head.kind === 'bad') {
      this.#badAnswer(head.problem)
      return
    }
    const behind = start + head.length
    if (known === null && method !== 'HEAD') answerHeads.keep(bytes, start, behind, head)
    const text = this.#beginAnswer(head)
    if (this.#answerBody !== null) this.#forwardAnswer(text, bytes, behind, end)
    else if (behind !== end) this.#withdrawAnswer('more bytes than it announced')
    else {
      this.#commitAnswer(head)
      this.#client.link.writeText(text)
      this.#complete(true)
    }
  }

  /** Whether `bytes` are all of an answer of the usual kind, and can go on as they are behind our head. */
  #isWhole(head: AnswerHead, bytes: number): boolean {
    const { old, instanceId } = this.#head
    return (
      head.body === 'length' &&
      head.contentLength === bytes - head.length &&
      head.contentLength <= roomBytes &&
      !head.stream &&
      this.#keepAlive &&
      this.#body === null &&
      !old &&
      instanceId === null &&
      !this.#relay.draining
    )
  }

  #forwardWhole(head: AnswerHead, bytes: Buffer, from: number, to: number): void {
    const { link } = this.#client
    this.#hearInstance(head.instanceId)
    this.#answer = head
    this.#commitAnswer(head)
    if (head.written === null)
      link.writeText(writeAnswerHead(head, false, null, false) + bytes.toString('latin1', from, to))
    else {
      head.packed ??= new PackedHead(head.written)
      link.writePacked(head.packed, bytes, from, to)
    }
    this.#complete(true)
  }

  #hearInstance(instanceId: string | null): void {
    const pod = this.#pod!
    if (instanceId === null || instanceId === pod.instanceId || instanceId === pod.reportedId) return
    pod.reportedId = instanceId
    this.#relay.watcher.onInstance(pod.key, instanceId)
  }

  /** Decides how the answer goes to the client and returns its head. */
  #beginAnswer(head: AnswerHead): string {
    const { draining } = this.#relay
    this.#answer = head
    if (head.body !== 'none') this.#answerBody = new BodyReader(head.body, head.contentLength)
    this.#hearInstance(head.instanceId)
    // A body that is still coming would be taken for the next request.
    if (draining || this.#body !== null) this.#keepAlive = false
    this.#chunked = isChunkedTo(head, this.#head.old)
    // Only the end of the connection ends this body.
    if (this.#answerBody !== null && head.contentLength === -1 && !this.#chunked) this.#keepAlive = false
    return writeAnswerHead(head, this.#head.old, this.#head.instanceId, !this.#keepAlive)
  }

  /** The answer's first bytes are about to leave. */
  #commitAnswer(head: AnswerHead): void {
    const { metrics, history, callbacks, wheel } = this.#relay
    const pinned = this.#head.instanceId
    const { instanceId } = head
    if (head.stream && this.#answerBody !== null) {
      this.#streamId = findRequestId(this.#look)
      this.#heardMs = wheel.nowMs
      metrics.totals.openStreams++
      this.#events = new EventStream(
        (id) => {
          if (instanceId !== null) callbacks.add(instanceId, id, this)
        },
        (id) => {
          if (instanceId !== null) callbacks.remove(instanceId, id)
        },
      )
      this.#setDeadline()
    }
    if (pinned !== null) callbacks.remove(pinned, findRequestId(this.#look))
    // What an error would have told the client of its request is of no use any more.
    this.#look = ''
    if (history.enabled) {
      history.record({
        kind: 'request.routed',
        backend: this.#pod!.key,
        pinned: pinned ?? undefined,
        instanceId: instanceId ?? undefined,
        stream: head.stream,
        status: head.status,
      })
    }
  }

  /** Forwards what came of the body, behind `text`, the head that has not left yet. */
  #forwardAnswer(text: string, bytes: Buffer, pos: number, end: number): void {
    const body = this.#answerBody!
    const answer = this.#answer!
    const chunked = this.#chunked
    const { link } = this.#client
    let payload = ''
    let step: number
    let result: WriteResult = 0
    for (;;) {
      step = body.next(bytes, pos, end)
      if (step !== bodyPiece) break
      const { from, to } = body
      if (to - from > textBytes && !answer.stream) {
        if (text !== '') this.#commitAnswer(answer)
        const length = payload.length + to - from
        const head = `${text}${chunked ? `${length.toString(16)}\r\n` : ''}${payload}`
        result = link.writeBytes(framed(head, bytes, from, to, chunked))
        text = payload = ''
      } else payload += bytes.toString('latin1', from, to)
      pos = body.pos
    }
    if (text !== '') {
      // Nothing has left yet, so a fault in the framing can still be answered as one.
      if (step === bodyBad || (step === bodyDone && body.pos !== end)) {
        this.#withdrawAnswer(step === bodyBad ? body.problem : 'more bytes than it announced')
        return
      }
      this.#commitAnswer(answer)
    }
    if (this.#events !== null) {
      payload = this.#events.take(payload, step === bodyDone)
      this.#heardMs = this.#relay.wheel.nowMs
    }
    if (payload !== '') text += chunked ? `${payload.length.toString(16)}\r\n${payload}\r\n` : payload
    if (step === bodyDone && chunked) text += '0\r\n\r\n'
    if (text !== '') result = link.writeText(text)
    if (step === bodyBad) this.#badAnswer(body.problem)
    else if (step === bodyDone) this.#complete(body.pos === end)
    else if (result === waits) {
      this.#upstream!.link.pause()
      this.#stalled = true
      this.#setDeadline()
    } else if (this.#events !== null) this.#setDeadline()
  }

  /** A comment between two events, so that nobody on the way takes a silent stream for a dead one. */
  #beat(): void {
    const { limits, metrics, wheel } = this.#relay
    if (limits.heartbeatMs === 0 || !this.#chunked || this.#events?.betweenEvents !== true) return
    if (wheel.nowMs - this.#heardMs < limits.heartbeatMs) return
    metrics.totals.heartbeats++
    this.#client.link.writeText('8\r\n: ping\n\n\r\n')
  }

  onUpstreamDrained(): void {
    if (!this.#over) this.#resumeBody()
  }

  onAnswerEnd(): void {
    if (this.#answer?.body !== 'close') {
      this.onAnswerLost()
      return
    }
    let text = this.#events?.take('', true) ?? ''
    if (this.#chunked) text = `${text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`}0\r\n\r\n`
    this.#client.link.writeText(text)
    this.#complete(false)
  }

  onAnswerLost(): void {
    const { key } = this.#pod!
    this.#relay.watcher.onFault(key, 'reset')
    this.#fail(statusOf.reset, 'reset', `${key} closed the connection before its answer was complete`, {
      backend: key,
    })
  }

  onCallbackLost(message: string): void {
    this.#relay.metrics.totals.lostCallbacks++
    this.#fail(statusOf.reset, 'gone', `a reply to this call could not be delivered: ${message}`)
  }

  /** The answer's framing is wrong, so whose answer is it? Nothing of it has been sent yet. */
  #withdrawAnswer(problem: string): void {
    this.#answer = null
    this.#badAnswer(problem)
  }

  #badAnswer(problem: string): void {
    const { key } = this.#pod!
    this.#fail(statusOf.bad_answer, 'bad_answer', `${key} answered with ${problem}`, { backend: key })
  }

  // ---- ends -------------------------------------------------------------------------------------------

  /** The answer is complete. `clean`: nothing stands behind it on the pod's connection. */
  #complete(clean: boolean): void {
    const upstream = this.#upstream!
    const answer = this.#answer!
    this.#upstream = null
    if (clean && answer.keepAlive && this.#body === null) this.#relay.pool.giveBack(upstream)
    else upstream.discard()
    this.#finish(answer.status, null)
    this.#client.exchangeDone(!this.#keepAlive)
  }

  /** Something broke, at any stage: answers if nothing was answered yet, else ends the answer visibly short. */
  #fail(status: number, reason: Reason, message: string, data: object = {}): void {
    if (this.#over) return
    const answer = this.#answer
    if (answer === null) {
      this.#refuse(status, reason, message, data)
      return
    }
    this.#dropUpstream()
    this.#relay.metrics.totals.brokenAnswers++
    if (this.#events !== null && this.#chunked) {
      // The client's reader takes whole events: close the one that was cut, then say what happened.
      const event = this.#events.gap + errorEvent(this.#streamId, reason, message, data)
      this.#client.link.writeText(`${event.length.toString(16)}\r\n${event}\r\n`)
    }
    this.#finish(answer.status, reason)
    // Without the last chunk, or short of its length, the answer is plainly cut. Where only the end of the
    // connection ends the body, it takes a reset to say so.
    this.#client.cut(answer.contentLength === -1 && !this.#chunked)
  }

  /** Answers in the pod's stead. */
  #refuse(status: number, reason: Reason, message: string, data: object = {}): void {
    const { history, metrics, draining } = this.#relay
    const pinned = this.#head.instanceId
    if (history.enabled) {
      history.record({
        kind: 'request.routed',
        backend: this.#pod?.key,
        pinned: pinned ?? undefined,
        stream: false,
        status,
        reason,
      })
    }
    metrics.refused(status, reason)
    this.#dropUpstream()
    const id = findRequestId(this.#look)
    const close = !this.#keepAlive || draining || this.#body !== null
    const routed = pinned === null ? '' : `X-Stepflow-Routed-Instance: ${pinned}\r\n`
    const body = errorMessage(id, reason, message, data)
    this.#client.link.writeText(refusalText(status, body, close, routed, this.#head.method === 'HEAD'))
    this.#finish(status, reason)
    this.#client.exchangeDone(close)
    if (pinned !== null && id !== 'null' && status >= 500) this.#shareFate(pinned, id, message)
  }

  /** The reply to a callback is lost: its stream must not wait for it for ever, here or in another thread. */
  #shareFate(instanceId: string, id: string, message: string): void {
    if (this.#relay.callbacks.lose(instanceId, id, message)) return
    this.#relay.watcher.onCallbackLost(instanceId, id, message)
  }

  #dropUpstream(): void {
    this.#upstream?.discard()
    this.#upstream = null
  }

  /** Everything is counted and let go of, once. */
  #finish(status: number, reason: Reason | null): void {
    if (this.#over) return
    this.#over = true
    const { pods, metrics, callbacks, accessLog, spans } = this.#relay
    const pod = this.#pod
    const instanceId = this.#answer?.instanceId ?? null
    if (this.#events !== null) {
      metrics.totals.openStreams--
      if (instanceId !== null) for (const id of this.#events.callbacks) callbacks.remove(instanceId, id)
      this.#events = null
    }
    const durationMs = clock.now() - this.#startedMs
    const { method, target, instanceId: pinned } = this.#head
    if (pod !== null) {
      this.#pod = null
      pods.leave(pod)
      metrics.finished(pod, method, status, durationMs)
    }
    if (accessLog === null && spans === null) return
    const backend = pod?.key ?? null
    const span = this.#span
    accessLog?.write({
      method,
      target,
      status,
      backend,
      pinned,
      instanceId,
      stream: this.#answer?.stream ?? false,
      durationMs,
      reason,
      traceId: span?.traceId ?? null,
      spanId: span?.spanId ?? null,
    })
    if (span?.sampled) spans?.add(endSpan(span, { durationMs, method, target, status, backend, reason }))
  }
}

const toDefault: readonly string[] = [defaultPool]

/** `head`, then the bytes from `from` to `to`, then the end of a chunk: one buffer for one write. */
function framed(head: string, bytes: Buffer, from: number, to: number, chunked: boolean): Buffer {
  const copy = Buffer.allocUnsafe(head.length + to - from + (chunked ? 2 : 0))
  copy.write(head, 'latin1')
  bytes.copy(copy, head.length, from, to)
  if (chunked) copy.write('\r\n', copy.length - 2, 'latin1')
  return copy
}
