// How many runs end in a second, and so when one that is refused should come again.

/** ms that one reading covers. */
const windowMs = 1_000
/** Seconds a client is sent away for, at least and at most. */
const leastSeconds = 1
const mostSeconds = 30

export class EndRate {
  #since: number
  #count = 0
  #perSecond = 0

  constructor(nowMs: number) {
    this.#since = nowMs
  }

  /** A run has ended. */
  note(nowMs: number): void {
    this.#roll(nowMs)
    this.#count++
  }

  /** Seconds after which half of `ahead` runs will have ended: those that come then find room, and leave none idle. */
  retryAfterSeconds(ahead: number, nowMs: number): number {
    this.#roll(nowMs)
    if (this.#perSecond === 0) return leastSeconds
    return Math.min(mostSeconds, Math.max(leastSeconds, Math.ceil(ahead / 2 / this.#perSecond)))
  }

  #roll(nowMs: number): void {
    const passedMs = nowMs - this.#since
    if (passedMs < windowMs) return
    this.#perSecond = (this.#count * 1000) / passedMs
    this.#count = 0
    this.#since = nowMs
  }
}
