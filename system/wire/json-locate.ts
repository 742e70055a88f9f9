// Finds a place of a document in the text it came in, for error messages: line and column of what is wrong.

import { maxDepth } from './json.ts'
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
  return positionOf(text, closing ? next + 1 : next)
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

/**
 * Where text that is not JSON breaks off, as Stepflow's parser names it: the keys and indices that lead there, `?` for
 * a key that is none. Nothing is said where no key leads there.
 * @param opaque whether nothing looks into the value of `key` in the object at `place`: a field that nobody declares
 */
export function findBreak(text: string, opaque: (place: Place, key: string) => boolean): Place {
  const scanner = new Scanner(text)
  const mark = (at: number): string => text.charAt(at)
  /** The index after the value at `at`, or the place in which it breaks off. */
  const value = (at: number, place: Place): number | Place => {
    if (place.length > maxDepth) return place.slice(0, -1)
    if (mark(at) === '[') {
      at = scanner.space(at + 1)
      if (mark(at) === ']') return at + 1
      for (let index = 0; ; index++) {
        if (mark(at) === '' || mark(at) === ']') return place
        const end = value(at, [...place, index])
        if (typeof end !== 'number') return end
        at = scanner.space(end)
        if (mark(at) === ']') return at + 1
        if (mark(at) !== ',') return place
        at = scanner.space(at + 1)
      }
    }
    if (mark(at) !== '{') return scalarEnd(text, at) ?? place
    at = scanner.space(at + 1)
    if (mark(at) === '}') return at + 1
    for (;;) {
      const keyEnd = mark(at) === '"' ? scalarEnd(text, at) : undefined
      if (keyEnd === undefined) return [...place, '?']
      const key = JSON.parse(text.slice(at, keyEnd)) as string
      at = scanner.space(keyEnd)
      if (mark(at) !== ':') return place
      const inner = [...place, key]
      const end = value(scanner.space(at + 1), inner)
      if (typeof end !== 'number') return opaque(place, key) ? inner : end
      at = scanner.space(end)
      if (mark(at) === '}') return at + 1
      if (mark(at) !== ',') return [...place, '?']
      at = scanner.space(at + 1)
    }
  }
  const found = value(scanner.space(0), [])
  return typeof found === 'number' || found.every((part) => part === '?') ? [] : found
}

/** Index after the string, number, boolean or null at `at`; undefined where there is none. */
function scalarEnd(text: string, at: number): number | undefined {
  const token = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d.eE])|true|false|null/sy
  token.lastIndex = at
  const found = token.exec(text)?.[0]
  if (found === undefined) return undefined
  try {
    const read: unknown = JSON.parse(found)
    if (Math.abs(read as number) === Number.POSITIVE_INFINITY) return undefined
    return typeof read === 'string' && !read.isWellFormed() ? undefined : at + found.length
  } catch {
    return undefined
  }
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
