// A queue in constant time. A Map or Set as a queue walks over what was taken out of it before.

/** Items taken out before the array is shortened. */
const slack = 1024

export class Queue<T> {
  #items: (T | undefined)[] = []
  #from = 0

  get size(): number {
    return this.#items.length - this.#from
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** The first, left where it is. */
  peek(): T | undefined {
    return this.#items[this.#from]
  }

  /** Takes the first out. */
  shift(): T | undefined {
    if (this.#from === this.#items.length) return undefined
    const item = this.#items[this.#from]
    this.#items[this.#from++] = undefined
    if (this.#from === this.#items.length) {
      this.#items.length = 0
      this.#from = 0
    } else if (this.#from >= slack && this.#from * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#from)
      this.#from = 0
    }
    return item
  }
}
