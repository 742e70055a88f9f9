// Starts a launched program again when it has died: each time later, until it starts.

import { setTimeout as sleep } from 'node:timers/promises'

/** ms before a program that died is started again: doubled up to the most, the first again once one has started. */
const firstMs = 100
const mostMs = 5_000

export interface RestartOptions<T> {
  /** Starts the program; it calls `again` when the program dies. */
  readonly launch: (signal: AbortSignal) => Promise<T>
  /** Aborted when nothing is to be started any more. */
  readonly closing: AbortSignal
  /** Hears of each start that failed; the next is on its way. */
  readonly onFailed: (error: unknown) => void
}

export class Restarts<T> {
  /** The program, or its start. Calls that wait for a start that fails break with its reason; later ones wait for the next. */
  current: Promise<T> | null = null
  readonly #options: RestartOptions<T>
  #waitMs = firstMs

  constructor(options: RestartOptions<T>) {
    this.#options = options
  }

  /** ms until a program that dies now is started again. */
  get waitMs(): number {
    return this.#waitMs
  }

  /** The first start, which is not tried again: it rejects as `launch` does. */
  async start(signal: AbortSignal): Promise<void> {
    this.current = this.#launch(AbortSignal.any([signal, this.#options.closing]))
    await this.current
  }

  again(): void {
    const { closing, onFailed } = this.#options
    this.current = this.#later()
    this.current.catch((error: unknown) => {
      if (closing.aborted) return
      onFailed(error)
      this.again()
    })
  }

  async #later(): Promise<T> {
    const { closing } = this.#options
    await sleep(this.#waitMs, undefined, { signal: closing })
    this.#waitMs = Math.min(mostMs, this.#waitMs * 2)
    return this.#launch(closing)
  }

  async #launch(signal: AbortSignal): Promise<T> {
    const program = await this.#options.launch(signal)
    this.#waitMs = firstMs
    return program
  }
}
