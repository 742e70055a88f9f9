// Finds a place of a document in the text it came in, for error messages: line and column of what is wrong.

import type { Edge, Place } from './json-shape.ts'

export interface TextPosition {
  readonly line: number
  /** Bytes before the position in its line, as Stepflow's parser counts. */
  readonly column: number
}

/**
 * @param text JSON, in any form
 * @param edge which end of the value at `place`; `key`: the second key called like the last part of `place`
 */
export function locate(text: string, place: Place, edge: Edge): TextPosition {
  const scanner = new Scanner(text)
  const parts = edge === 'key' ? place.slice(0, -1) : place
  let start = scanner.space(0)
  for (const part of parts) {
    const next =
      typeof part === 'number' ? scanner.element(start, part) : scanner.member(start, part, 1)?.value
    if (next === undefined) break
    start = next
  }
  if (edge === 'start') return positionOf(text, start)
  if (edge === 'key') {
    const found = scanner.member(start, String(place.at(-1)), 2)
    return positionOf(text, found?.keyEnd ?? start)
  }
  const end = scanner.value(start)
  if (edge === 'end') return positionOf(text, end)
  const next = scanner.space(end)
  const closing = text[next] === '}' || text[next] === ']'
  return positionOf(text, closing ? next + 1 : end)
}

/** Keys that one object of `text` has twice where `declared` says whether such a place has fixed fields. */
export function findDuplicate(text: string, declared: (place: Place, key: string) => boolean): Place | null {
  const scanner = new Scanner(text)
  const visit = (start: number, place: Place): Place | null => {
    const mark = text[start]
    if (mark === '{') {
      const seen = new Set<string>()
      for (const { key, value } of scanner.members(start)) {
        const at = [...place, key]
        if (seen.has(key) && declared(place, key)) return at
        seen.add(key)
        const found = visit(value, at)
        if (found !== null) return found
      }
    } else if (mark === '[') {
      for (const [index, value] of scanner.elements(start).entries()) {
        const found = visit(value, [...place, index])
        if (found !== null) return found
      }
    }
    return null
  }
  return visit(scanner.space(0), [])
}

function positionOf(text: string, at: number): TextPosition {
  const before = text.slice(0, at)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: Buffer.byteLength(before.slice(lineStart)) }
}

interface Member {
  readonly key: string
  readonly keyEnd: number
  readonly value: number
}

/** Walks text that is known to be JSON. */
class Scanner {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  space(at: number): number {
    while (/[ \t\r\n]/.test(this.#text.charAt(at))) at++
    return at
  }

  /** Index after the value at `at`. */
  value(at: number): number {
    const mark = this.#text[at]
    if (mark === '"') return this.#string(at)
    if (mark !== '{' && mark !== '[') {
      while (at < this.#text.length && !/[ \t\r\n,\]}]/.test(this.#text.charAt(at))) at++
      return at
    }
    let depth = 0
    while (at < this.#text.length) {
      const unit = this.#text[at]
      if (unit === '"') {
        at = this.#string(at)
        continue
      }
      at++
      if (unit === '{' || unit === '[') depth++
      else if ((unit === '}' || unit === ']') && --depth === 0) break
    }
    return at
  }

  member(start: number, key: string, occurrence: number): Member | undefined {
    return this.members(start).filter((each) => each.key === key)[occurrence - 1]
  }

  element(start: number, index: number): number | undefined {
    return this.elements(start)[index]
  }

  members(start: number): Member[] {
    const list: Member[] = []
    let at = this.space(start + 1)
    while (this.#text[at] === '"') {
      const keyEnd = this.#string(at)
      const value = this.space(this.space(keyEnd) + 1)
      list.push({ key: JSON.parse(this.#text.slice(at, keyEnd)) as string, keyEnd, value })
      at = this.#next(value)
    }
    return list
  }

  elements(start: number): number[] {
    const list: number[] = []
    let at = this.space(start + 1)
    while (at < this.#text.length && this.#text[at] !== ']') {
      list.push(at)
      at = this.#next(at)
    }
    return list
  }

  /** Start of what comes after the value at `at` and its comma. */
  #next(at: number): number {
    const end = this.space(this.value(at))
    return this.#text[end] === ',' ? this.space(end + 1) : end
  }

  #string(at: number): number {
    at++
    while (this.#text[at] !== '"') at += this.#text[at] === '\\' ? 2 : 1
    return at + 1
  }
}
