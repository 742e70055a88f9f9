// Answers that nobody reads: the program has to keep them, so that it needs memory however much it has left over.

import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** Requests on a connection. They come in one piece, all of which Node's parser takes, read answers or not. */
const requests = 64
/**
 * Connections at a time. By the 1024 answers that it then keeps, a program that gets memory grew by 30 MB (balancer) to
 * 190 MB (component server), and went on answering probes within 0.4 s; with four times as many the liveness probe killed it.
 */
const mostConnections = 16
/** How long one look waits, ms: most programs that get no memory end within it. */
const waitMs = 100

export class UnreadAnswers {
  readonly #url: URL
  readonly #connections: Socket[] = []
  /** Resolves once the last connection's first answer is there, or it ended. */
  #taken: Promise<void> = Promise.resolve()
  #isTaken = true

  /** @param url what is asked for: the longer the answer, the better */
  constructor(url: string) {
    this.#url = new URL(url)
  }

  /**
   * Asks on one more connection, in place of the oldest where there are too many, and waits a moment. Only where the
   * program is done with the last one's requests: it never has more than these to catch up with.
   */
  async ask(): Promise<void> {
    if (this.#isTaken) this.#open()
    await Promise.race([this.#taken, wait(waitMs)])
  }

  close(): void {
    for (const socket of this.#connections.splice(0)) socket.destroy()
  }

  #open(): void {
    const { hostname, port, pathname, host } = this.#url
    if (this.#connections.length === mostConnections) this.#connections.shift()?.destroy()
    const socket = connect(Number(port), hostname)
    this.#connections.push(socket)
    // The program's end breaks them all, which is what they are for.
    socket.on('error', () => {})
    this.#isTaken = false
    this.#taken = new Promise((resolve) => {
      const taken = (): void => {
        this.#isTaken = true
        resolve()
      }
      // `readable` alone takes one buffer and no more.
      socket.once('readable', taken).once('close', taken)
    })
    socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\n\r\n`.repeat(requests))
  }
}
