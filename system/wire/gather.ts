// Puts the parts of a body together as they come, in memory that grows with its bytes, not with the number of parts.
//
// A list of parts costs some 100 bytes for each, and keeps what each was cut from: a peer that sends chunks of one byte
// would make a gigabyte of 10 MiB.

const noBytes: Buffer = Buffer.alloc(0)

/** Bytes of the first copy of several parts. */
const firstCapacity = 16 * 1024

export class Gatherer {
  #first: Buffer = noBytes
  #copy: Buffer | null = null
  #length = 0

  /** Bytes so far. */
  get length(): number {
    return this.#length
  }

  /** Bytes of memory that it holds. */
  get capacity(): number {
    return this.#copy?.length ?? this.#first.length
  }

  /**
   * Copies `part`, whose memory may be used for something else afterwards.
   * @param last `take` follows before that, so that a body of one part need not be copied
   */
  add(part: Uint8Array, last = false): void {
    const { length } = part
    if (length === 0) return
    if (this.#length === 0) {
      const view = Buffer.from(part.buffer, part.byteOffset, length)
      this.#first = last ? view : Buffer.from(view)
    } else {
      const room = this.#room(this.#length + length)
      room.set(part, this.#length)
    }
    this.#length += length
  }

  /** All of it; the gatherer is empty again. */
  take(): Buffer {
    const whole = this.#copy === null ? this.#first : this.#copy.subarray(0, this.#length)
    this.#first = noBytes
    this.#copy = null
    this.#length = 0
    return whole
  }

  /** The copy, with room for `needed` bytes. */
  #room(needed: number): Buffer {
    const before = this.#copy
    if (before !== null && before.length >= needed) return before
    const grown = Buffer.allocUnsafeSlow(Math.max(firstCapacity, needed, this.#length * 2))
    grown.set(before === null ? this.#first : before.subarray(0, this.#length), 0)
    this.#first = noBytes
    this.#copy = grown
    return grown
  }
}
