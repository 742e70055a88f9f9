// The runtime's HTTP client: one POST a connection at a time, as many connections as calls, none idle for long.
//
// On links, not on a general client: that one cost more than the rest of a run together, and the rules here
// (never send twice, never on a connection that may be closing) are few (docs/decisions/011-runtime-on-sockets.md).

import type { Link, LinkOwner } from '../../program/link.ts'
import { type AnswerHead, createAnswerHeadReader } from './answer.ts'
import { type ConnectOptions, createConnect, TransportError } from './connect.ts'
import { BadMessage, MessageParser, type MessageSink } from './parser.ts'

export { TransportError } from './connect.ts'

/** What arrives of an answer. */
export interface AnswerHandler {
  onHead(status: number, contentType: string, instanceId: string | undefined): void
  /** `chunk` is valid during the call only; `last`: the body is whole now. */
  onData(chunk: Buffer, last: boolean): void
  /** The answer is whole. */
  onEnd(): void
  /** No whole answer will come. Not called after `onEnd`, nor once the request was given up. */
  onError(error: TransportError): void
}

export interface HttpClient {
  /**
   * Sends a POST once: it is never repeated. Returns what gives it up without a further word.
   * @param moreHead header lines, each with its CRLF
   */
  post(body: string, instanceId: string | null, handler: AnswerHandler, moreHead?: string): () => void
  /** Ends every connection; requests under way fail. */
  close(): void
}

/**
 * Servers close idle connections after 5 s or more, a draining balancer may sooner; ours go well before, so that
 * none is used as it closes. A new connection costs 0.1 ms.
 */
const idleMs = 1_000

/** A connection serves this long, so that new balancers get their share. */
const lifeMs = 10_000

/** Milliseconds between looks at idle connections. */
const sweepMs = 500

export function createHttpClient(options: ConnectOptions): HttpClient {
  const { url } = options
  const connect = createConnect(options)
  const head =
    `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n` +
    'content-type: application/json\r\naccept: application/json, text/event-stream\r\n'
  const all = new Set<Connection>()
  const idle: Connection[] = []
  let turn = 0
  let closed = false

  const sweep = (): void => {
    const now = performance.now()
    for (const connection of idle.slice()) {
      if (now - connection.idleSince >= idleMs || now - connection.bornAt >= lifeMs) connection.destroy()
    }
    if (all.size === 0) {
      clearInterval(sweeper)
      sweeper = undefined
    }
  }
  let sweeper: NodeJS.Timeout | undefined

  const pool: ConnectionPool = {
    readHead: createAnswerHeadReader(),
    free(connection) {
      if (performance.now() - connection.bornAt >= lifeMs) connection.destroy()
      else idle.push(connection)
    },
    gone(connection) {
      all.delete(connection)
      const at = idle.indexOf(connection)
      if (at !== -1) takeAt(idle, at)
    },
  }

  const open = async (request: Request): Promise<void> => {
    try {
      const connection = new Connection(await connect(), pool)
      all.add(connection)
      sweeper ??= setInterval(sweep, sweepMs).unref()
      if (closed) {
        connection.destroy()
        throw new TransportError('the client is closed', 'reset', true)
      }
      if (request.givenUp) pool.free(connection)
      else connection.send(request)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (!request.givenUp) request.handler.onError(error)
    }
  }

  return {
    post(body, instanceId, handler, moreHead = '') {
      const pinned = instanceId === null ? '' : `stepflow-instance-id: ${instanceId}\r\n`
      const bodyBytes = Buffer.byteLength(body)
      const text = `${head}${pinned}${moreHead}content-length: ${bodyBytes}\r\n\r\n${body}`
      const request: Request = {
        text,
        ascii: bodyBytes === body.length,
        handler,
        givenUp: false,
        connection: null,
      }
      // Each idle one in its turn: behind a Service they lead to different balancers.
      const connection = idle.length === 0 ? undefined : takeAt(idle, turn++ % idle.length)
      if (connection === undefined) void open(request)
      else connection.send(request)
      return () => {
        request.givenUp = true
        request.connection?.destroy()
      }
    },
    close() {
      closed = true
      clearInterval(sweeper)
      for (const connection of [...all]) connection.destroy('the client is closed')
    },
  }
}

interface Request {
  /** Head and body. */
  readonly text: string
  readonly ascii: boolean
  readonly handler: AnswerHandler
  givenUp: boolean
  /** Set while the answer is awaited. */
  connection: Connection | null
}

interface ConnectionPool {
  /** Reads an answer's head. */
  readonly readHead: (text: string) => AnswerHead | null
  free(connection: Connection): void
  gone(connection: Connection): void
}

class Connection implements LinkOwner, MessageSink<AnswerHead> {
  readonly bornAt = performance.now()
  idleSince = this.bornAt
  readonly #link: Link
  readonly #pool: ConnectionPool
  #request: Request | null = null
  readonly #parser: MessageParser<AnswerHead>
  /** A request was sent since the last answer ended: what comes now begins another one. */
  #asked = false
  #dead = false

  constructor(link: Link, pool: ConnectionPool) {
    this.#link = link
    this.#pool = pool
    this.#parser = new MessageParser(pool.readHead, this)
    link.owner = this
  }

  send(request: Request): void {
    this.#request = request
    request.connection = this
    this.#asked = true
    // Text that is ASCII throughout is latin1, too; heads are.
    if (request.ascii) this.#link.writeText(request.text)
    else this.#link.writeBytes(Buffer.from(request.text))
  }

  // ---- what the link tells -----------------------------------------------------------------------------

  onBytes(bytes: Buffer, start: number, end: number): void {
    // Bytes that nobody asked for.
    if (this.#request === null) {
      this.destroy()
      return
    }
    // Not where the request is sent: that may be in the middle of reading the answer to the one before.
    if (this.#asked) {
      this.#asked = false
      this.#parser.restart()
    }
    try {
      if (this.#parser.push(bytes.subarray(start, end)) !== null)
        throw new BadMessage('bytes after the answer')
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.destroy(error.message, error)
    }
  }

  onEnd(): void {
    try {
      if (this.#request !== null && !this.#asked) this.#parser.end()
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.destroy(error.message, error)
    }
    this.destroy('connection closed before message completed')
  }

  onDrained(): void {}

  onClosed(error: NodeJS.ErrnoException | null): void {
    if (error === null) this.destroy('connection closed before message completed')
    else this.destroy(error.code ?? error.message, error)
  }

  // ---- what the parser tells ---------------------------------------------------------------------------

  onHead({ status, contentType, instanceId }: AnswerHead): void {
    const request = this.#request
    if (request?.givenUp === false) request.handler.onHead(status, contentType, instanceId)
  }

  onData(bytes: Buffer, last: boolean): void {
    const request = this.#request
    if (request?.givenUp === false) request.handler.onData(bytes, last)
  }

  onWhole(head: AnswerHead): void {
    const request = this.#request
    if (request === null) return
    this.#request = null
    request.connection = null
    if (head.keepAlive && !request.givenUp) {
      this.idleSince = performance.now()
      this.#pool.free(this)
    } else this.destroy()
    if (!request.givenUp) request.handler.onEnd()
  }

  // ------------------------------------------------------------------------------------------------------

  destroy(problem = 'connection closed', cause?: unknown): void {
    if (this.#dead) return
    this.#dead = true
    this.#pool.gone(this)
    this.#link.destroy()
    const request = this.#request
    this.#request = null
    if (request === null) return
    request.connection = null
    if (!request.givenUp) request.handler.onError(new TransportError(problem, 'reset', false, cause))
  }
}

/** Takes one out in constant time; the last takes its place. */
function takeAt<T>(list: T[], at: number): T | undefined {
  const taken = list[at]
  const last = list.pop()
  if (at < list.length && last !== undefined) list[at] = last
  return taken
}
