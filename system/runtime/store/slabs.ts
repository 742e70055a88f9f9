// Texts in large buffers outside of the JavaScript heap: the collector never looks at them, and what has been
// kept longest goes first, whole buffers at a time.

/** Bytes of a buffer; a longer text gets one of its own. */
const slabBytes = 1024 * 1024

/** Empty buffers that wait to be used again. */
const maxSpare = 2

interface Slab {
  readonly bytes: Buffer
  used: number
  /** Texts in it that are still kept. */
  texts: number
}

/** A text that is kept. */
export interface KeptText {
  readonly slab: Slab
  readonly at: number
  readonly length: number
}

export class Slabs {
  readonly #spare: Buffer[] = []
  #current: Slab = { bytes: Buffer.alloc(0), used: 0, texts: 0 }

  keep(text: string): KeptText {
    // A character takes at most 3 bytes; counting them is only worth it where that might not fit.
    const room = this.#current.bytes.length - this.#current.used
    if (text.length * 3 > room && Buffer.byteLength(text) > room) this.#next(text)
    const slab = this.#current
    const at = slab.used
    const length = slab.bytes.write(text, at)
    slab.used += length
    slab.texts++
    return { slab, at, length }
  }

  read({ slab, at, length }: KeptText): string {
    return slab.bytes.toString('utf8', at, at + length)
  }

  /** Whether the text is among the latest. */
  isCurrent({ slab }: KeptText): boolean {
    return slab === this.#current
  }

  forget({ slab }: KeptText): void {
    slab.texts--
    if (slab.texts > 0 || slab === this.#current) return
    if (slab.bytes.length === slabBytes && this.#spare.length < maxSpare) this.#spare.push(slab.bytes)
  }

  #next(text: string): void {
    const bytes = Buffer.byteLength(text)
    const spare = bytes <= slabBytes ? this.#spare.pop() : undefined
    this.#current = {
      bytes: spare ?? Buffer.allocUnsafeSlow(Math.max(bytes, slabBytes)),
      used: 0,
      texts: 0,
    }
  }
}
