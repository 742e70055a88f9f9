// One health check: GET /health at a pod, judged.

import { isIPv6 } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Link, LinkOpener } from '../../program/link.ts'
import { connectLink } from '../../program/tcp-link.ts'
import { BodyReader, bodyBad, bodyDone, bodyPiece } from '../body.ts'
import { readAnswerHead } from '../head/answer.ts'
import { isInstanceId } from '../head/request.ts'

export type ProbeResult =
  | { readonly kind: 'good'; readonly instanceId: string }
  | { readonly kind: 'bad'; readonly problem: string }
  | { readonly kind: 'slow' }
  | { readonly kind: 'fault'; readonly problem: string }

export type Probe = (host: string, port: number) => Promise<ProbeResult>

const maxBodyBytes = 65_536
/** Of heads that did not come whole yet, interim ones among them. */
const maxHeadBytes = 65_536

/**
 * A probe that gives a pod `timeoutMs` for its whole answer, on a connection of its own.
 * @param tls how pods are connected to; null: plainly
 */
export function createProbe(timeoutMs: number, tls: () => ConnectionOptions | null = () => null): Probe {
  return (host, port) => new Promise((resolve) => new HealthCheck(host, port, timeoutMs, tls(), resolve))
}

/** On the relay's own link and readers: node:http holds up the requests of a thread for milliseconds. */
class HealthCheck implements LinkOpener {
  readonly #link: Link
  readonly #host: string
  readonly #resolve: (result: ProbeResult) => void
  readonly #timer: NodeJS.Timeout
  #head = Buffer.alloc(0)
  #status = 0
  #reader: BodyReader | null = null
  readonly #body: Buffer[] = []
  #bodyBytes = 0

  constructor(
    host: string,
    port: number,
    timeoutMs: number,
    tls: ConnectionOptions | null,
    resolve: (result: ProbeResult) => void,
  ) {
    this.#host = `${isIPv6(host) ? `[${host}]` : host}:${port}`
    this.#resolve = resolve
    this.#timer = setTimeout(() => this.#done({ kind: 'slow' }), timeoutMs)
    this.#link = connectLink(host, port, this, tls)
  }

  onConnected(): void {
    this.#link.writeText(`GET /health HTTP/1.1\r\nhost: ${this.#host}\r\nconnection: close\r\n\r\n`)
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    const result = this.#read(bytes, start, end)
    if (result !== null) this.#done(result)
  }

  /** Null: the answer goes on. */
  #read(bytes: Buffer, start: number, end: number): ProbeResult | null {
    if (this.#reader !== null) return this.#readBody(this.#reader, bytes, start, end)
    this.#head = Buffer.concat([this.#head, bytes.subarray(start, end)])
    for (;;) {
      const head = readAnswerHead(this.#head, 0, this.#head.length, 'GET')
      if (head.kind === 'bad') return head
      if (head.kind === 'incomplete') {
        return this.#head.length > maxHeadBytes ? { kind: 'bad', problem: 'an endless head' } : null
      }
      const rest = this.#head.subarray(head.length)
      if (head.status < 200 && head.status !== 101) {
        this.#head = rest
        continue
      }
      this.#status = head.status
      if (head.body === 'none') return this.#judged()
      this.#reader = new BodyReader(head.body, head.contentLength)
      return this.#readBody(this.#reader, rest, 0, rest.length)
    }
  }

  #readBody(reader: BodyReader, bytes: Buffer, start: number, end: number): ProbeResult | null {
    let pos = start
    for (;;) {
      const found = reader.next(bytes, pos, end)
      if (found === bodyBad) return { kind: 'bad', problem: reader.problem }
      if (found === bodyDone) return this.#judged()
      if (found !== bodyPiece) return null
      this.#bodyBytes += reader.to - reader.from
      if (this.#bodyBytes > maxBodyBytes) return { kind: 'bad', problem: 'an endless health answer' }
      // The link reads into the same memory again.
      this.#body.push(Buffer.from(bytes.subarray(reader.from, reader.to)))
      pos = reader.pos
      if (reader.done) return this.#judged()
    }
  }

  onEnd(): void {
    // Only an answer without a length ends with its connection.
    const whole = this.#reader?.untilClose === true
    this.#done(whole ? this.#judged() : { kind: 'fault', problem: 'the answer ended early' })
  }

  onClosed(error: NodeJS.ErrnoException | null): void {
    const code = error?.code ?? ''
    if (error === null) this.onEnd()
    else if (['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS'].includes(code)) this.#done({ kind: 'slow' })
    else this.#done({ kind: 'fault', problem: code === '' ? error.message : code })
  }

  onDrained(): void {}

  #judged(): ProbeResult {
    return judge(this.#status, Buffer.concat(this.#body).toString())
  }

  #done(result: ProbeResult): void {
    clearTimeout(this.#timer)
    this.#link.destroy()
    this.#resolve(result)
  }
}

/** What a health answer says. */
export function judge(status: number, body: string): ProbeResult {
  if (status < 200 || status > 299) return { kind: 'bad', problem: `status ${status}` }
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    return { kind: 'bad', problem: 'no JSON' }
  }
  const { status: said, instanceId } = (answer ?? {}) as Record<string, unknown>
  if (said !== 'healthy') return { kind: 'bad', problem: `status is ${JSON.stringify(said) ?? 'absent'}` }
  if (typeof instanceId !== 'string' || !isInstanceId(instanceId))
    return { kind: 'bad', problem: 'no instanceId' }
  return { kind: 'good', instanceId }
}
