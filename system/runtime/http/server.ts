// The HTTP side of the API: connections in, one request after the other, each answered before the next.
//
// On links: node:http spends as much on a request as the whole of a put_blob run, and net.Socket a third of that
// (docs/decisions/011-runtime-on-sockets.md, 013-links-everywhere.md).

import { isUtf8 } from 'node:buffer'
import { STATUS_CODES } from 'node:http'
import { createServer, type Server } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Link, LinkOwner } from '../../program/link.ts'
import { acceptLinks, type MakeLink } from '../../program/tcp-link.ts'
import { Gatherer } from '../../wire/gather.ts'
import { BadMessage, MessageParser } from './parser.ts'
import { parseRequestHead, type RequestHead } from './request.ts'

export interface HttpRequest {
  readonly head: RequestHead
  readonly body: string
  /** The body byte for byte, as latin1, where it is no UTF-8. */
  readonly notUtf8?: string
}

export interface HttpReply {
  readonly status: number
  readonly body: string
  /** Default `application/json`; ignored for an empty body. */
  readonly type?: string
  /** Names and values in turn. */
  readonly headers?: readonly string[]
}

export interface HttpServerOptions {
  /** Bytes a request's body may have. */
  readonly maxBodyBytes: number
  /** Field lines of every answer, each with its CRLF. */
  readonly commonHead: string
  /** Answers a request; never rejects. */
  readonly answer: (request: HttpRequest) => HttpReply | Promise<HttpReply>
  /** What a request that cannot be read gets. */
  readonly refuse: (status: number, problem: string) => HttpReply
  /** Closes connections after their answer. */
  readonly closing: () => boolean
}

export interface HttpServer {
  readonly server: Server
  /**
   * Takes no more connections, answers what still comes on those that stand for half a second, closes those that are
   * idle then, and resolves when the others have had their answers.
   */
  close(): Promise<void>
}

/** Seconds a connection may be idle, a head and a body may take to come, and a reader may stall. */
const idleSeconds = 65
const headSeconds = 10
const bodySeconds = 60
const stalledSeconds = 60
/** Seconds for which what still comes behind the last answer is read and dropped: a reset could take it away. */
const lingerSeconds = 5

/**
 * ms for which answers wait while the listening socket is being closed. The kernel resets connections that nobody has
 * accepted by then, requests and all; clients that wait for an answer open none.
 */
const holdMs = 50
/** ms for which connections that stand are served after that: to close one is to lose what is on its way. */
const lastWordsMs = 500

/** Bytes of later requests that are kept while one is being answered. */
const maxAheadBytes = 256 * 1024

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const connections = new Set<Connection>()
  let onEmpty = (): void => {}
  let accepted = 0
  const host: Host = {
    options,
    seconds: 0,
    date: new Date().toUTCString(),
    held: null,
    ended(each) {
      connections.delete(each)
      if (connections.size === 0) onEmpty()
    },
  }
  const server = createServer({ allowHalfOpen: true })
  server.once('listening', () => {
    acceptLinks(
      server,
      (makeLink) => {
        accepted++
        connections.add(new Connection(makeLink, host))
      },
      // A connection that could not be accepted is one that never was.
      () => {},
    )
  })
  const clock = setInterval(() => {
    host.seconds++
    host.date = new Date().toUTCString()
    for (const connection of [...connections]) connection.tick()
  }, 1000).unref()
  return {
    server,
    async close() {
      const held: (() => void)[] = []
      host.held = held
      await setTimeout(holdMs)
      // libuv accepts one connection in a turn of the loop: the first turn without one has found none waiting.
      let before: number
      do {
        before = accepted
        await setImmediate()
      } while (accepted > before)
      server.close()
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve
        if (connections.size === 0) resolve()
      })
      host.held = null
      for (const send of held) send()
      await Promise.race([empty, setTimeout(lastWordsMs, undefined, { ref: false })])
      for (const connection of [...connections]) connection.endIfIdle()
      await empty
      clearInterval(clock)
    },
  }
}

interface Host {
  readonly options: HttpServerOptions
  /** Counts up. */
  seconds: number
  date: string
  /** Not null: answers wait here for the listening socket to be closed. */
  held: (() => void)[] | null
  ended(connection: Connection): void
}

class Connection implements LinkOwner {
  readonly #link: Link
  readonly #host: Host
  readonly #parser: MessageParser<RequestHead>
  #lastText = ''
  #lastHead: RequestHead | null = null
  readonly #body = new Gatherer()
  /** A request is being answered, or its answer is being sent. */
  #busy = false
  /** Nothing more is read: the connection ends after what is being sent. */
  #ending = false
  /** Bytes that came while busy. */
  #ahead: Buffer[] = []
  #aheadBytes = 0
  #paused = false
  /** The peer is gone, or sends no more. */
  #left = false
  #since: number

  constructor(makeLink: MakeLink, host: Host) {
    this.#host = host
    this.#since = host.seconds
    this.#parser = new MessageParser(this.#readHead, {
      onHead: (head) => this.#onHead(head),
      onData: (bytes, last) => this.#onBody(bytes, last),
      onWhole: (head) => this.#onRequest(head),
    })
    this.#link = makeLink(this)
  }

  /** Called each second. */
  tick(): void {
    const waited = this.#host.seconds - this.#since
    if (this.#link.waitingBytes > 0) {
      if (waited >= stalledSeconds) this.#destroy()
      return
    }
    if (this.#ending) {
      if (waited >= lingerSeconds) this.#destroy()
    } else if (this.#busy) return
    else if (!this.#parser.begun) {
      if (waited >= idleSeconds) this.#destroy()
    } else if (waited >= (this.#body.length > 0 ? bodySeconds : headSeconds)) {
      this.#refuse(408, 'request came too slowly')
    }
  }

  endIfIdle(): void {
    if (!this.#busy && !this.#parser.begun) this.#destroy()
  }

  /** Clients repeat their heads, and what is known need not be read again. */
  readonly #readHead = (text: string): RequestHead => {
    if (text === this.#lastText && this.#lastHead !== null) return this.#lastHead
    const head = parseRequestHead(text)
    this.#lastText = text
    this.#lastHead = head
    return head
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#ending) return
    const fresh = bytes.subarray(start, end)
    if (!this.#busy) {
      this.#feed(fresh)
      return
    }
    this.#ahead.push(Buffer.from(fresh))
    this.#aheadBytes += fresh.length
    if (this.#aheadBytes > maxAheadBytes && !this.#paused) {
      this.#paused = true
      this.#link.pause()
    }
  }

  onEnd(): void {
    this.#leave()
    if (this.#link.waitingBytes === 0) this.#destroy()
    else this.#link.end()
  }

  onDrained(): void {
    if (this.#left) this.#destroy()
    else this.#onSent()
  }

  onClosed(): void {
    this.#leave()
    this.#host.ended(this)
  }

  #leave(): void {
    this.#left = true
    this.#ending = true
    this.#ahead = []
  }

  #destroy(): void {
    this.#link.destroy()
    this.onClosed()
  }

  #feed(bytes: Buffer): void {
    if (!this.#parser.begun) this.#since = this.#host.seconds
    try {
      const rest = this.#parser.push(bytes)
      if (rest === null) return
      this.#ahead.unshift(Buffer.from(rest))
      this.#aheadBytes += rest.length
      if (!this.#busy) this.#next()
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#refuse(error.status, error.message)
    }
  }

  #onHead(head: RequestHead): void {
    const { framing } = head
    const { maxBodyBytes } = this.#host.options
    if (framing.kind === 'length' && framing.bytes > maxBodyBytes)
      throw new BadMessage('body is too large', 413)
    if (head.expectContinue) this.#link.writeText('HTTP/1.1 100 Continue\r\n\r\n')
  }

  #onBody(bytes: Buffer, last: boolean): void {
    if (this.#body.length + bytes.length > this.#host.options.maxBodyBytes) {
      throw new BadMessage('body is too large', 413)
    }
    this.#body.add(bytes, last)
  }

  #onRequest(head: RequestHead): void {
    const bytes = this.#body.take()
    const body = bytes.length === 0 ? '' : bytes.toString()
    const notUtf8 = body === '' || isUtf8(bytes) ? undefined : bytes.toString('latin1')
    this.#busy = true
    const request = notUtf8 === undefined ? { head, body } : { head, body, notUtf8 }
    const reply = this.#host.options.answer(request)
    if (reply instanceof Promise) reply.then((late) => this.#send(head, late))
    else this.#send(head, reply)
  }

  #send(head: RequestHead | null, reply: HttpReply): void {
    if (this.#host.held !== null) {
      this.#host.held.push(() => this.#send(head, reply))
      return
    }
    if (!this.#link.open) return
    const keep = head?.keepAlive === true && !this.#host.options.closing()
    const bodyBytes = Buffer.byteLength(reply.body)
    const whole = this.#write(reply, bodyBytes, keep)
    const text = head?.method === 'HEAD' ? withoutBody(whole, reply) : whole
    this.#since = this.#host.seconds
    // Text that is ASCII throughout is latin1, too; heads are.
    if (bodyBytes === reply.body.length) this.#link.writeText(text)
    else this.#link.writeBytes(Buffer.from(text))
    if (keep) {
      this.#onSent()
      return
    }
    this.#ending = true
    this.#link.end()
  }

  #write(reply: HttpReply, bodyBytes: number, keep: boolean): string {
    const { status, body, headers = [] } = reply
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${this.#host.options.commonHead}`
    if (body !== '') text += `content-type: ${reply.type ?? 'application/json'}\r\n`
    for (let index = 0; index < headers.length; index += 2)
      text += `${headers[index]}: ${headers[index + 1]}\r\n`
    if (!keep) text += 'connection: close\r\n'
    if (status !== 204) text += `content-length: ${bodyBytes}\r\n`
    return `${text}date: ${this.#host.date}\r\n\r\n${body}`
  }

  /** Once the answer has left, the next request may be looked at. */
  #onSent(): void {
    if (!this.#busy || this.#ending || this.#link.waitingBytes > 0) return
    this.#busy = false
    this.#parser.restart()
    this.#since = this.#host.seconds
    if (this.#ahead.length > 0) this.#next()
    else if (this.#host.options.closing()) {
      this.#ending = true
      this.#link.end()
    }
  }

  /** Goes on with what came while busy; in another turn, for a peer may have sent many requests at once. */
  #next(): void {
    globalThis.setImmediate(() => {
      if (this.#busy || this.#ending || this.#ahead.length === 0) return
      const bytes = Buffer.concat(this.#ahead)
      this.#ahead = []
      this.#aheadBytes = 0
      if (this.#parser.over) this.#parser.restart()
      this.#feed(bytes)
      if (!this.#paused) return
      this.#paused = false
      this.#link.resume()
    })
  }

  #refuse(status: number, problem: string): void {
    this.#busy = true
    this.#send(null, this.#host.options.refuse(status, problem))
  }
}

function withoutBody(text: string, { body }: HttpReply): string {
  return body === '' ? text : text.slice(0, -body.length)
}
