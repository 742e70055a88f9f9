// Paths of value expressions: `$`, `$.a.b`, `$[0]`, `$['x']`, or a bare field name; text to segments to value.

import { GauntletError } from '../../contracts/errors.ts'
import { element, type Json, kindOf, memberByQuoted, quote } from './json.ts'

export type PathSegment =
  | { readonly kind: 'field'; readonly name: string; readonly quoted: Json }
  | { readonly kind: 'index'; readonly index: number; readonly text: string }

export interface JsonPath {
  readonly segments: readonly PathSegment[]
  /** Its normal form, `$.a[1]`; where that would mean something else, the text as it was given. */
  readonly text: string
}

/** The path `$`: the whole value. */
export const wholePath: JsonPath = { segments: [], text: '$' }

/**
 * Reads a path. A text that does not start with `$` is one field name; the empty text is the whole value.
 * @throws GauntletError ERR_FLOW_PATH
 */
export function parsePath(given: string): JsonPath {
  const text = given.trim()
  if (text === '' || text === '$') return wholePath
  if (!text.startsWith('$')) return pathOf([field(text)], text)
  const segments: PathSegment[] = []
  let at = 1
  while (at < text.length) {
    const mark = text.charAt(at)
    if (mark === '.') {
      let end = at + 1
      while (end < text.length && text.charAt(end) !== '.' && text.charAt(end) !== '[') end++
      // Empty segments vanish: `$..a` is `$.a`.
      if (end > at + 1) segments.push(field(text.slice(at + 1, end)))
      at = end
    } else if (mark === '[') {
      const read = readBracket(text, at)
      segments.push(read.segment)
      at = read.end
    } else {
      throw bad(text, `Invalid character '${mark}' in JSON path after $ or ']'. Expected '.' or '['`)
    }
  }
  return pathOf(segments, text)
}

/** What stands up to the first `]`: a name in quotes of either kind, without escapes, or a whole number. */
function readBracket(text: string, at: number): { segment: PathSegment; end: number } {
  const close = text.indexOf(']', at)
  if (close === -1) throw bad(text, "Unclosed bracket '[' in path")
  const inside = text.slice(at + 1, close).trim()
  const quoted = /^(["'])(.*)\1$/s.exec(inside)
  if (quoted !== null) return { segment: field(quoted[2] as string), end: close + 1 }
  const index = /^\+?\d+$/.test(inside) ? BigInt(inside.replace('+', '')) : -1n
  if (index < 0n || index > maxIndex) {
    throw bad(text, `Invalid index '${inside}' in JSON path. Expected a number or a quoted string.`)
  }
  return { segment: { kind: 'index', index: Number(index), text: String(index) }, end: close + 1 }
}

/** The largest that Stepflow's parser takes. */
const maxIndex = 2n ** 64n - 1n

function field(name: string): PathSegment {
  return { kind: 'field', name, quoted: quote(name) }
}

function bad(text: string, problem: string): GauntletError {
  return new GauntletError('ERR_FLOW_PATH', problem, { value: text })
}

function pathOf(segments: readonly PathSegment[], given: string): JsonPath {
  let text = '$'
  for (const segment of segments) {
    // Written as `.a.b` a field called "a.b" would be read back as two, and one without a name as none.
    if (segment.kind === 'field' && /[.[]|^$/.test(segment.name)) return { segments, text: given }
    text += segment.kind === 'field' ? `.${segment.name}` : `[${segment.text}]`
  }
  return { segments, text }
}

/** The value at `path`; undefined where there is none. */
export function valueAt(json: Json, path: JsonPath): Json | undefined {
  let value: Json | undefined = json
  for (const segment of path.segments) {
    if (value === undefined) return undefined
    value = segment.kind === 'field' ? memberByQuoted(value, segment.quoted) : element(value, segment.index)
  }
  return value
}

/** A step's result is null whatever the path when it is null itself. */
export function valueAtOrNull(json: Json, path: JsonPath): Json | undefined {
  return path.segments.length > 0 && kindOf(json) === 'null' ? json : valueAt(json, path)
}
