// A head that is written again and again, as bytes with room behind it for a body: one copy and one write.

/** Longest body that goes into the room behind a head. */
export const roomBytes = 4_096

/** docs/decisions/030-links-on-tcp-handles.md has what this saves over putting texts together. */
export class PackedHead {
  readonly #text: string
  readonly #headBytes: number
  #memory: Buffer
  /** By the length of the body: a new view of the same memory at each write would cost as much as the copy. */
  #views: (Uint8Array | undefined)[] = []

  /** @param text latin1 */
  constructor(text: string) {
    this.#text = text
    this.#headBytes = text.length
    this.#memory = this.#fill()
  }

  /**
   * The head with the bytes from `from` to `to` behind it, at most `roomBytes` of them: valid until the next
   * call of this, or of `withText`.
   */
  withBytes(bytes: Buffer, from: number, to: number): Uint8Array {
    bytes.copy(this.#memory, this.#headBytes, from, to)
    return this.#view(to - from)
  }

  /** The same for a body in latin1 text. */
  withText(body: string): Uint8Array {
    this.#memory.write(body, this.#headBytes, 'latin1')
    return this.#view(body.length)
  }

  /** What was returned last is not written yet, so it belongs to the kernel's queue from now on. */
  giveAway(): void {
    this.#memory = this.#fill()
    this.#views = []
  }

  #fill(): Buffer {
    const memory = Buffer.allocUnsafeSlow(this.#headBytes + roomBytes)
    memory.write(this.#text, 'latin1')
    return memory
  }

  #view(bodyBytes: number): Uint8Array {
    const view = this.#views[bodyBytes]
    if (view !== undefined) return view
    const made = new Uint8Array(this.#memory.buffer, 0, this.#headBytes + bodyBytes)
    this.#views[bodyBytes] = made
    return made
  }
}
