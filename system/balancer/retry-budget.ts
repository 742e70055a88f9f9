// How many second tries there may be: a fifth of the requests, so that a failing service is not flooded.

/** Share of requests that may be tried again. */
const share = 0.2
/** Tries saved up: what the death of one of a few busy pods takes. */
const most = 1_000
const atFirst = 200

export class RetryBudget {
  #tokens = atFirst

  /** A request came. */
  earn(): void {
    if (this.#tokens < most) this.#tokens += share
  }

  /** True: the request may be tried again. */
  spend(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
