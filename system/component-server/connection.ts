// One connection: requests in, one after the other, each answered before the next is looked at.
//
// It works on a link: node:http spends more on a request than `double` and the protocol together, and net.Socket
// a third of it (docs/decisions/020-component-server-on-sockets.md, 013-links-everywhere.md).

import { STATUS_CODES } from 'node:http'
import type { Link, LinkOwner } from '../program/link.ts'
import type { MakeLink } from '../program/tcp-link.ts'
import { Gatherer } from '../wire/gather.ts'
import { encodeEvent } from '../wire/sse.ts'
import type { Answer } from './calls.ts'
import { type ChunkReader, createChunkReader } from './chunks.ts'
import { type createHeadReader, maxHeadBytes, type RequestHead } from './head.ts'

/** What connections of one server share. */
export interface ConnectionHost {
  readonly maxBodyBytes: number
  readonly maxHeldBytes: number
  /** Of bodies that have come in part, on all connections. */
  heldBytes: number
  readonly instanceId: string
  /** Counts up, see `http.ts`. */
  readonly ticks: number
  /** `date: ...` line with its CRLF. */
  readonly dateLine: string
  readonly draining: boolean
  readonly readHead: ReturnType<typeof createHeadReader>
  /** A whole request has come. Answers it, now or later. */
  onRequest(head: RequestHead, body: Buffer, answer: RequestAnswer): void
}

/** An answer that may also say which methods a path has. */
export interface RequestAnswer extends Answer {
  send(status: number, json: string, allow?: string): void
}

/** Time limits in ticks of half a second. */
const idleTicks = 12
const headTicks = 20
const bodyTicks = 120
const stalledTicks = 240
const lingerTicks = 4

/** Bytes of later requests that are kept while one is being answered. */
const maxAheadBytes = 256 * 1024

const headEnd = Buffer.from('\r\n\r\n')
const noBody = Buffer.alloc(0)

/** A connection as its server sees it. */
export interface ServedConnection {
  /** Called by the server's timer. */
  tick(): void
  /** Ends it at once. */
  destroy(): void
}

/** Runs a connection until it ends, and then calls `onGone`. */
export function serveConnection(
  makeLink: MakeLink,
  host: ConnectionHost,
  onGone: (connection: ServedConnection) => void,
): ServedConnection {
  return new Connection(makeLink, host, onGone)
}

class Connection implements LinkOwner, ServedConnection {
  readonly #link: Link
  readonly #host: ConnectionHost
  readonly #onGone: (connection: ServedConnection) => void
  /** Bytes that have come and are not used yet. */
  #rest: Buffer = noBody
  #head: RequestHead | null = null
  /** Whether a head has begun to come. */
  #waiting = false
  readonly #parts = new Gatherer()
  #missing = 0
  /** Its part of the host's. */
  #held = 0
  #chunks: ChunkReader | null = null
  #exchange: Exchange | null = null
  #ending = false
  #resuming = false
  #paused = false
  #left = false
  /** Tick at which it is closed, unless something happens. */
  #deadline: number
  /** Bytes written, those of them that had left at the last tick, and the tick since when it is no more. */
  #written = 0
  #sent = 0
  #stalledSince = 0

  constructor(makeLink: MakeLink, host: ConnectionHost, onGone: (connection: ServedConnection) => void) {
    this.#host = host
    this.#onGone = onGone
    this.#deadline = host.ticks + headTicks
    this.#link = makeLink(this)
  }

  tick(): void {
    const { ticks } = this.#host
    const { waitingBytes } = this.#link
    if (waitingBytes > 0) {
      const sent = this.#written - waitingBytes
      if (sent !== this.#sent) {
        this.#sent = sent
        this.#stalledSince = ticks
      } else if (ticks - this.#stalledSince >= stalledTicks) this.destroy()
      return
    }
    this.#stalledSince = ticks
    if (this.#exchange !== null || ticks < this.#deadline) return
    // Only a request that has begun gets an answer; an idle connection just ends.
    if (this.#ending || (this.#head === null && this.#rest.length === 0)) this.destroy()
    else this.#refuse(408, 'request came too slowly')
  }

  destroy(): void {
    this.#link.destroy()
    this.#gone()
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#ending) return
    const fresh = bytes.subarray(start, end)
    if (this.#exchange === null) {
      this.#advance(fresh)
      return
    }
    this.#rest = Buffer.concat([this.#rest, fresh])
    if (this.#rest.length > maxAheadBytes) this.#pause()
  }

  // A peer that has sent its FIN waits for no answer, as everywhere in this protocol; what is on its way still goes.
  onEnd(): void {
    this.#leave()
    if (this.#link.waitingBytes > 0) this.#link.end()
    else this.destroy()
  }

  onDrained(): void {
    if (this.#left) this.destroy()
  }

  onClosed(): void {
    this.#gone()
  }

  #pause(): void {
    this.#paused = true
    this.#link.pause()
  }

  /** Reads on: the rest of the request under way, or the next one. What comes after it waits in `#rest`. */
  #advance(bytes: Buffer): void {
    let at = 0
    if (this.#head === null) {
      if (this.#rest.length > 0) bytes = Buffer.concat([this.#rest, bytes])
      this.#rest = noBody
      at = this.#readHead(bytes)
      if (at === -1) return
    }
    at = this.#readBody(bytes, at)
    if (at === -1) return
    this.#rest = at === bytes.length ? noBody : Buffer.from(bytes.subarray(at))
    this.#dispatch(this.#takeBody())
  }

  /** Index after the head, or -1 where it is not whole or was refused. */
  #readHead(bytes: Buffer): number {
    // An empty line before a request is skipped (RFC 9112 2.2).
    const from = bytes[0] === 0x0d && bytes[1] === 0x0a ? 2 : 0
    const end = bytes.indexOf(headEnd, from)
    if (end === -1 || end - from > maxHeadBytes) {
      if (end !== -1 || bytes.length - from > maxHeadBytes) this.#refuse(431, 'head is too large')
      else this.#wait(bytes)
      return -1
    }
    const head = this.#host.readHead(bytes.toString('latin1', from, end))
    if (head.kind === 'bad') {
      this.#refuse(head.status, head.reason)
      return -1
    }
    this.#head = head
    const start = end + headEnd.length
    if (head.bodyBytes > this.#host.maxBodyBytes) {
      this.#refuse(413, `Body is larger than ${this.#host.maxBodyBytes} bytes`)
      return -1
    }
    if (head.bodyBytes === -1) this.#chunks = createChunkReader(this.#host.maxBodyBytes)
    else this.#missing = head.bodyBytes
    if (head.expectContinue && start === bytes.length) this.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1')
    this.#deadline = this.#host.ticks + bodyTicks
    return start
  }

  /** Keeps what has come of a head; the deadline runs from its first byte. */
  #wait(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#waiting) this.#deadline = this.#host.ticks + headTicks
    this.#waiting = bytes.length > 0
    this.#rest = Buffer.from(bytes)
  }

  /** Index after the body, or -1 where it is not whole or was refused. */
  #readBody(bytes: Buffer, at: number): number {
    if (this.#chunks !== null) {
      const end = this.#chunks.push(bytes, at)
      if (end === 'malformed') this.#refuse(400, 'chunked body is malformed')
      else if (end === 'too large') this.#refuse(413, `Body is larger than ${this.#host.maxBodyBytes} bytes`)
      else if (end === -1) this.#hold()
      return typeof end === 'number' ? end : -1
    }
    const part = at === 0 && bytes.length <= this.#missing ? bytes : bytes.subarray(at, at + this.#missing)
    this.#missing -= part.length
    // A body that is whole now is used up while its bytes are valid.
    this.#parts.add(part, this.#missing === 0)
    if (this.#missing === 0) return at + part.length
    this.#hold()
    return -1
  }

  /** Counts the memory that the body takes now. */
  #hold(): void {
    const held = this.#chunks?.capacity ?? this.#parts.capacity
    this.#host.heldBytes += held - this.#held
    this.#held = held
    if (this.#host.heldBytes > this.#host.maxHeldBytes) {
      this.#refuse(
        503,
        `server is busy: it holds ${this.#host.maxHeldBytes} bytes of bodies that are not whole`,
      )
    }
  }

  #release(): void {
    this.#host.heldBytes -= this.#held
    this.#held = 0
  }

  #takeBody(): Buffer {
    this.#release()
    if (this.#chunks !== null) {
      const body = this.#chunks.body()
      this.#chunks = null
      return body
    }
    return this.#parts.take()
  }

  #dispatch(body: Buffer): void {
    const head = this.#head as RequestHead
    this.#head = null
    this.#waiting = false
    const exchange = new Exchange(this, head)
    this.#exchange = exchange
    this.#host.onRequest(head, body, exchange)
  }

  /** Answers what is no request, and ends the connection: what follows cannot be told from it. */
  #refuse(status: number, reason: string): void {
    const body = JSON.stringify({ error: { code: -32600, message: reason } })
    this.write(this.headText(status, body.length, 'connection: close\r\n') + body, 'latin1')
    this.#link.end()
    this.#linger()
  }

  /** Reads and drops for a while what the peer still sends: a reset would take the answer from it. */
  #linger(): void {
    this.#ending = true
    this.#rest = noBody
    this.#parts.take()
    this.#chunks = null
    this.#release()
    this.#deadline = this.#host.ticks + lingerTicks
  }

  #gone(): void {
    this.#leave()
    this.#onGone(this)
  }

  #leave(): void {
    this.#left = true
    const exchange = this.#exchange
    this.#exchange = null
    this.#ending = true
    this.#rest = noBody
    this.#parts.take()
    this.#chunks = null
    this.#release()
    exchange?.abort()
  }

  // ---- for its exchange --------------------------------------------------------------------------------

  get host(): ConnectionHost {
    return this.#host
  }

  write(text: string, encoding: 'latin1' | 'utf8'): void {
    if (encoding === 'latin1') {
      this.#written += text.length
      this.#link.writeText(text)
      return
    }
    const bytes = Buffer.from(text)
    this.#written += bytes.length
    this.#link.writeBytes(bytes)
  }

  headText(status: number, bodyBytes: number, more: string): string {
    return status === 200 && more === ''
      ? `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${bodyBytes}\r\n${this.#host.dateLine}\r\n`
      : `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\ncontent-length: ${bodyBytes}\r\n${this.#host.dateLine}${more}\r\n`
  }

  /** The exchange is answered: on with the next request, or the end. */
  answered(keepAlive: boolean): void {
    this.#exchange = null
    if (!keepAlive) {
      this.#link.end()
      this.#linger()
      return
    }
    this.#deadline = this.#host.ticks + idleTicks
    if (this.#rest.length === 0) return
    if (this.#paused) {
      this.#paused = false
      this.#link.resume()
    }
    // Not from within the answer, which a component's code may be in the middle of.
    if (!this.#resuming) {
      this.#resuming = true
      setImmediate(() => {
        this.#resuming = false
        if (this.#exchange !== null || this.#ending) return
        const bytes = this.#rest
        this.#rest = noBody
        this.#advance(bytes)
      })
    }
  }
}

/** One request's answer; what is written after its end is dropped. */
class Exchange implements RequestAnswer {
  onAbort: (() => void) | null = null
  readonly #connection: Connection
  readonly #head: RequestHead
  #open = true
  #chunked = false
  #keepAlive: boolean
  /** The head of a stream until its first event, or the end of this turn, takes it along. */
  #held = ''

  constructor(connection: Connection, head: RequestHead) {
    this.#connection = connection
    this.#head = head
    this.#keepAlive = head.keepAlive
  }

  send(status: number, json: string, allow?: string): void {
    if (!this.#open) return
    this.#open = false
    const bytes = Buffer.byteLength(json)
    const connection = this.#connection
    const more = `${this.#connectionLine()}${allow === undefined ? '' : `allow: ${allow}\r\n`}`
    const head = connection.headText(status, bytes, more)
    const body = this.#head.method === 'HEAD' ? '' : json
    // One write, and for ASCII the encoding that costs nothing.
    connection.write(head + body, bytes === json.length ? 'latin1' : 'utf8')
    connection.answered(this.#keepAlive)
  }

  openStream(): void {
    if (!this.#open) return
    const { instanceId, dateLine } = this.#connection.host
    this.#chunked = this.#head.minor === 1
    const framing = this.#chunked ? 'transfer-encoding: chunked\r\n' : ''
    this.#held = `HTTP/1.1 200 OK\r\nstepflow-instance-id: ${instanceId}\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n${dateLine}${this.#connectionLine()}${framing}\r\n`
  }

  begun(): void {
    if (!this.#open || this.#held === '') return
    setImmediate(() => {
      if (this.#open && this.#held !== '') this.#write('')
    })
  }

  writeEvent(json: Parameters<Answer['writeEvent']>[0]): void {
    if (this.#open) this.#write(this.#frame(json))
  }

  endStream(json: Parameters<Answer['endStream']>[0]): void {
    if (!this.#open) return
    this.#open = false
    this.#write(`${this.#frame(json)}${this.#chunked ? '0\r\n\r\n' : ''}`)
    this.#connection.answered(this.#keepAlive)
  }

  #write(text: string): void {
    const held = this.#held
    this.#held = ''
    this.#connection.write(held + text, 'latin1')
  }

  abort(): void {
    if (!this.#open) return
    this.#open = false
    this.onAbort?.()
  }

  /** Events are ASCII, so characters are bytes. */
  #frame(json: Parameters<Answer['writeEvent']>[0]): string {
    const event = encodeEvent(json)
    return this.#chunked ? `${event.length.toString(16)}\r\n${event}\r\n` : event
  }

  #connectionLine(): string {
    if (this.#keepAlive && !this.#connection.host.draining) return ''
    this.#keepAlive = false
    return 'connection: close\r\n'
  }
}
