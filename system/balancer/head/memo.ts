// Heads that come again byte for byte are not read again: a pool of connections sends the same few.

import { readBuffer, readWords } from '../../program/read-buffer.ts'

/** Heads remembered. */
const entries = 4
/** Longer heads are read each time. */
const maxBytes = 2_048
/** After so many looks the hits are counted, and below one in `worthwhile` the next `rest` heads are not looked for. */
const trial = 512
const worthwhile = 4
const rest = 8_192

interface Entry<H> {
  readonly bytes: Buffer
  /** Its whole words; up to three bytes behind them are not in here. */
  readonly words: Int32Array
  readonly head: H
}

/**
 * Remembers what the last distinct heads were read as. Reading depends on nothing but a head's bytes up to and
 * with its empty line, so equal bytes are read equally; what stands behind them does not matter.
 */
export class HeadMemo<H> {
  readonly #entries: Entry<H>[] = []
  #next = 0
  #looks = 0
  #hits = 0
  #resting = 0
  /** Where the last hit was: the next one is likely there, too. */
  #last = 0

  /** The head at `start`, if it is one of those remembered. */
  find(bytes: Buffer, start: number, end: number): H | null {
    if (this.#resting > 0) {
      this.#resting--
      return null
    }
    if (++this.#looks === trial) {
      if (this.#hits * worthwhile < trial) this.#resting = rest
      this.#looks = this.#hits = 0
    }
    const all = this.#entries
    if (all.length === 0) return null
    const last = all[this.#last]!
    if (equals(last, bytes, start, end)) {
      this.#hits++
      return last.head
    }
    for (let index = 0; index < all.length; index++) {
      const entry = all[index]!
      if (entry === last || !equals(entry, bytes, start, end)) continue
      this.#last = index
      this.#hits++
      return entry.head
    }
    return null
  }

  /** Remembers that the bytes from `start` to `end` were read as `head`. */
  keep(bytes: Buffer, start: number, end: number, head: H): void {
    if (this.#resting > 0 || end - start > maxBytes) return
    const copy = Buffer.allocUnsafeSlow(end - start)
    bytes.copy(copy, 0, start, end)
    const words = new Int32Array(copy.buffer, 0, copy.length >> 2)
    this.#entries[this.#next] = { bytes: copy, words, head }
    this.#next = (this.#next + 1) % entries
  }
}

/** Whether the bytes at `start` are those of `entry`. */
function equals<H>({ bytes: known, words }: Entry<H>, bytes: Buffer, start: number, end: number): boolean {
  const { length } = known
  if (end - start < length) return false
  // A call into native code costs more than comparing a usual head here (bench/balancer/rate.ts).
  if (start !== 0 || bytes !== readBuffer) return bytes.compare(known, 0, length, start, start + length) === 0
  const whole = words.length
  for (let word = 0; word < whole; word++) if (words[word] !== readWords[word]) return false
  for (let at = whole << 2; at < length; at++) if (known[at] !== bytes[at]) return false
  return true
}
