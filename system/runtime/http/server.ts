// The HTTP side of the API: connections in, one request after the other, each answered before the next.
//
// On sockets: node:http spends as much on a request as the whole of a put_blob run
// (docs/decisions/011-runtime-on-sockets.md).

import { isUtf8 } from 'node:buffer'
import { STATUS_CODES } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
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
  /** Takes no more connections, closes idle ones, and resolves when the others have had their answers. */
  close(): Promise<void>
}

/** Seconds a connection may be idle, a head and a body may take to come, and a reader may stall. */
const idleSeconds = 65
const headSeconds = 10
const bodySeconds = 60
const stalledSeconds = 60

/** Bytes of later requests that are kept while one is being answered. */
const maxAheadBytes = 256 * 1024

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const connections = new Set<Connection>()
  const host: Host = {
    options,
    seconds: 0,
    date: new Date().toUTCString(),
    ended: (each) => connections.delete(each),
  }
  const server = createServer({ noDelay: true }, (socket) => connections.add(new Connection(socket, host)))
  const clock = setInterval(() => {
    host.seconds++
    host.date = new Date().toUTCString()
    for (const connection of [...connections]) connection.tick()
  }, 1000).unref()
  return {
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          clearInterval(clock)
          resolve()
        })
        for (const connection of [...connections]) connection.endIfIdle()
      }),
  }
}

interface Host {
  readonly options: HttpServerOptions
  /** Counts up. */
  seconds: number
  date: string
  ended(connection: Connection): void
}

class Connection {
  readonly #socket: Socket
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
  #since: number

  constructor(socket: Socket, host: Host) {
    this.#socket = socket
    this.#host = host
    this.#since = host.seconds
    this.#parser = new MessageParser(this.#readHead, {
      onHead: (head) => this.#onHead(head),
      onData: (bytes) => this.#onBody(bytes),
      onEnd: (head) => this.#onRequest(head),
    })
    socket.on('data', (bytes: Buffer) => this.#onData(bytes))
    socket.on('drain', () => this.#onSent())
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ending = true
      host.ended(this)
    })
  }

  /** Called each second. */
  tick(): void {
    const waited = this.#host.seconds - this.#since
    if (this.#socket.writableLength > 0) {
      if (waited >= stalledSeconds) this.#socket.destroy()
      return
    }
    if (this.#busy) return
    if (this.#ending) this.#socket.destroy()
    else if (!this.#parser.begun) {
      if (waited >= idleSeconds) this.#socket.destroy()
    } else if (waited >= (this.#body.length > 0 ? bodySeconds : headSeconds)) {
      this.#refuse(408, 'request came too slowly')
    }
  }

  endIfIdle(): void {
    if (!this.#busy && !this.#parser.begun) this.#socket.destroy()
  }

  /** Clients repeat their heads, and what is known need not be read again. */
  readonly #readHead = (text: string): RequestHead => {
    if (text === this.#lastText && this.#lastHead !== null) return this.#lastHead
    const head = parseRequestHead(text)
    this.#lastText = text
    this.#lastHead = head
    return head
  }

  #onData(bytes: Buffer): void {
    if (this.#ending) return
    if (!this.#busy) {
      this.#feed(bytes)
      return
    }
    this.#ahead.push(bytes)
    this.#aheadBytes += bytes.length
    if (this.#aheadBytes > maxAheadBytes) this.#socket.pause()
  }

  #feed(bytes: Buffer): void {
    if (!this.#parser.begun) this.#since = this.#host.seconds
    try {
      const rest = this.#parser.push(bytes)
      if (rest === null) return
      this.#ahead.unshift(rest)
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
    if (head.expectContinue) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n')
  }

  #onBody(bytes: Buffer): void {
    if (this.#body.length + bytes.length > this.#host.options.maxBodyBytes) {
      throw new BadMessage('body is too large', 413)
    }
    this.#body.add(bytes)
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
    if (this.#socket.destroyed) return
    const keep = head?.keepAlive === true && !this.#host.options.closing()
    const bodyBytes = Buffer.byteLength(reply.body)
    const whole = this.#write(reply, bodyBytes, keep)
    const text = head?.method === 'HEAD' ? withoutBody(whole, reply) : whole
    // For ASCII the encoding that costs nothing; heads are.
    const encoding = bodyBytes === reply.body.length ? 'latin1' : 'utf8'
    if (!keep) {
      this.#ending = true
      this.#socket.end(text, encoding)
      return
    }
    this.#since = this.#host.seconds
    if (this.#socket.write(text, encoding)) this.#onSent()
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

  /** The answer has left: the next request may be looked at. */
  #onSent(): void {
    if (!this.#busy || this.#ending || this.#socket.writableLength > 0) return
    this.#busy = false
    this.#parser.restart()
    this.#since = this.#host.seconds
    if (this.#ahead.length > 0) this.#next()
    else if (this.#host.options.closing()) this.#socket.end()
  }

  /** Goes on with what came while busy; in another turn, for a peer may have sent many requests at once. */
  #next(): void {
    setImmediate(() => {
      if (this.#busy || this.#ending || this.#ahead.length === 0) return
      const bytes = Buffer.concat(this.#ahead)
      this.#ahead = []
      this.#aheadBytes = 0
      if (this.#parser.over) this.#parser.restart()
      this.#feed(bytes)
      if (this.#socket.isPaused()) this.#socket.resume()
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
