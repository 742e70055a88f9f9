// Heads that come again byte for byte are not read again: a pool of connections sends the same few.

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
  readonly head: H
}

/**
 * Remembers what the last distinct heads were read as. Reading depends on nothing but a head's bytes up to and
 * with its empty line, so equal bytes are read equally; what stands behind them does not matter.
 */
export class HeadMemo<H> {
  readonly #entries: (Entry<H> | undefined)[] = new Array<Entry<H> | undefined>(entries).fill(undefined)
  #next = 0
  #looks = 0
  #hits = 0
  #resting = 0

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
    for (let index = 0; index < entries; index++) {
      const entry = this.#entries[index]
      if (entry === undefined) return null
      const { length } = entry.bytes
      if (end - start < length || bytes.compare(entry.bytes, 0, length, start, start + length) !== 0) continue
      this.#hits++
      return entry.head
    }
    return null
  }

  /** Remembers that the bytes from `start` to `end` were read as `head`. */
  keep(bytes: Buffer, start: number, end: number, head: H): void {
    if (this.#resting > 0 || end - start > maxBytes) return
    this.#entries[this.#next] = { bytes: Buffer.from(bytes.subarray(start, end)), head }
    this.#next = (this.#next + 1) % entries
  }
}
