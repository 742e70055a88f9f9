// Keep-alive connections to one origin, one request on each at a time, as many as the load needs.

import { Client, type Dispatcher } from 'undici'

/** What came of a POST. `refused`: not a byte of it left; `broken`: it was sent, and no answer came. */
export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly contentType: string; readonly body: string }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'broken'; readonly error: string }

export interface Connections {
  /**
   * Posts `body` and calls `done` once. The function it returns gives the request up: `done` is not called
   * any more, and it says whether the request had been sent.
   */
  post(
    path: string,
    headers: Record<string, string>,
    body: string,
    done: (reply: Reply) => void,
  ): () => boolean
  /** Connections that exist now. */
  readonly size: number
  /** Closes what the last seconds did not need; to be called about once a second. */
  trim(): void
  close(): Promise<void>
}

/**
 * Servers of the system close at 5 s; a connection reused at that moment would lose a request. undici closes up to
 * a second late.
 */
const idleMs = 3_000
/** So many are opened before one is reused: behind a Service each connection may be another replica. */
const leastConnections = 8
/** Peaks of open requests of so many seconds decide how many connections stay. */
const rememberedPeaks = 3
/** An answer larger than this is given up. */
const mostAnswerBytes = 64 * 1024 * 1024

export function openConnections(origin: string): Connections {
  const idle: Client[] = []
  const busy = new Set<Client>()
  let peaks = [0]
  let closed = false

  const take = (): Client => {
    // The least recently used one, so that every replica behind a Service sees its share.
    const reused = idle.length + busy.size < leastConnections ? undefined : idle.shift()
    const client =
      reused ??
      new Client(origin, {
        pipelining: 1,
        keepAliveTimeout: idleMs,
        keepAliveMaxTimeout: idleMs,
        // The generator has a time-out of its own for the whole request.
        headersTimeout: 0,
        bodyTimeout: 0,
      })
    busy.add(client)
    if (busy.size > peaks[0]!) peaks[0] = busy.size
    return client
  }
  const release = (client: Client, reusable: boolean): void => {
    busy.delete(client)
    if (reusable && !closed) idle.push(client)
    else void client.destroy()
  }

  return {
    post(path, headers, body, done) {
      const client = take()
      const exchange = new Exchange((reply, reusable) => {
        release(client, reusable)
        done(reply)
      })
      client.dispatch({ path, method: 'POST', headers, body }, exchange)
      return () => {
        if (exchange.settled) return true
        exchange.settled = true
        release(client, false)
        return exchange.sent
      }
    },
    get size() {
      return idle.length + busy.size
    },
    trim() {
      const wanted = Math.max(leastConnections, ...peaks)
      while (idle.length > 0 && idle.length + busy.size > wanted) void idle.shift()!.destroy()
      peaks = [busy.size, ...peaks].slice(0, rememberedPeaks)
    },
    async close() {
      closed = true
      await Promise.all([...idle.splice(0), ...busy].map((client) => client.destroy()))
    },
  }
}

/** One request on its connection, as undici tells of it. */
class Exchange implements Dispatcher.DispatchHandler {
  settled = false
  sent = false
  #status = 0
  #contentType = ''
  #chunks: Buffer[] = []
  #bytes = 0
  readonly #end: (reply: Reply, reusable: boolean) => void

  constructor(end: (reply: Reply, reusable: boolean) => void) {
    this.#end = end
  }

  // undici calls this when the connection stands and the head is about to be written.
  onRequestStart(): void {
    this.sent = true
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status
    this.#contentType = String(headers['content-type'] ?? '')
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > mostAnswerBytes) controller.abort(new Error(`answer over ${mostAnswerBytes} bytes`))
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#settle(
      { kind: 'answer', status: this.#status, contentType: this.#contentType, body: body.toString() },
      true,
    )
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const text = 'code' in error ? `${error.message} (${error.code})` : error.message
    this.#settle({ kind: this.sent ? 'broken' : 'refused', error: text }, false)
  }

  #settle(reply: Reply, reusable: boolean): void {
    if (this.settled) return
    this.settled = true
    this.#end(reply, reusable)
  }
}
