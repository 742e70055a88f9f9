// One direction of one connection: pieces wait for their time, leave in order, and hold the source back when many wait.

import type { Socket } from 'node:net'

/** Bytes that may wait before the source is paused. */
const mostWaitingBytes = 262_144

interface Waiting {
  readonly bytes: Buffer
  /** ms of performance.now(). */
  readonly dueAt: number
  /** Called once the bytes are with the kernel. */
  readonly left: (() => void) | undefined
}

export interface LaneOptions {
  readonly from: Socket
  readonly to: Socket
  /** Whether nothing may leave now. */
  readonly held: () => boolean
}

export class Lane {
  readonly #options: LaneOptions
  readonly #queue: Waiting[] = []
  #waitingBytes = 0
  #lastDueAt = 0
  #timer: NodeJS.Timeout | null = null
  #blocked = false
  #ended = false
  #isOver = false
  /** Bytes that may wait; a slow reader's is small. */
  limitBytes = mostWaitingBytes

  constructor(options: LaneOptions) {
    this.#options = options
    options.to.on('drain', () => {
      this.#blocked = false
      this.pump()
    })
  }

  /** When the last piece in it leaves, ms of performance.now(); 0: nothing has been in it. */
  get lastDueAt(): number {
    return this.#lastDueAt
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Lets bytes leave at `dueAt`, and not before what came earlier. */
  put(bytes: Buffer, dueAt: number, left?: () => void): void {
    this.#lastDueAt = Math.max(this.#lastDueAt, dueAt)
    this.#queue.push({ bytes, dueAt: this.#lastDueAt, left })
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes > this.limitBytes) this.#options.from.pause()
    this.pump()
  }

  /** What delayed it is gone: everything may leave now. */
  hurry(): void {
    const now = performance.now()
    this.#lastDueAt = Math.min(this.#lastDueAt, now)
    for (const [index, waiting] of this.#queue.entries()) this.#queue[index] = { ...waiting, dueAt: now }
    this.pump()
  }

  /** The source has ended: so does the destination, once everything has left. */
  end(): void {
    this.#ended = true
    this.pump()
  }

  /** Nothing leaves any more. */
  stop(): void {
    this.#isOver = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#queue.length = 0
  }

  pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const { from, to, held } = this.#options
    while (!this.#isOver && !this.#blocked && !held()) {
      const next = this.#queue[0]
      if (next === undefined) {
        if (this.#ended) {
          this.#isOver = true
          to.end()
        }
        break
      }
      const waitMs = next.dueAt - performance.now()
      if (waitMs > 0) {
        // Timers may be up to 1 ms early.
        this.#timer = setTimeout(() => this.pump(), Math.ceil(waitMs))
        break
      }
      this.#queue.shift()
      this.#waitingBytes -= next.bytes.length
      if (!to.write(next.bytes)) this.#blocked = true
      next.left?.()
    }
    if (this.#waitingBytes <= this.limitBytes && !this.#ended) from.resume()
  }
}
