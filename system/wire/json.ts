// JSON kept as text: checked and made canonical once, then cut and joined, never turned into objects.
//
// JavaScript's own objects lose `1.0`, integers above 2^53 and the order of keys like "10"; text does not,
// and what nobody looks into costs nothing. Canonical means: no white space, strings with the fewest
// escapes, numbers as Stepflow prints them, each key once. Blob ids are hashes of this text.

import { GauntletError } from '../../contracts/errors.ts'
import { writeNumber } from './json-number.ts'

declare const canonical: unique symbol
/** Canonical JSON text of one value. */
export type Json = string & { readonly [canonical]: true }

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** Levels of arrays and objects that a text may have: the same limit as Stepflow's parser. */
export const maxDepth = 127

/** Text that is not JSON; `problem` and the place read as in Stepflow's answers. */
export class JsonSyntaxError extends GauntletError {
  override readonly problem: string
  readonly line: number
  readonly column: number

  constructor(problem: string, line: number, column: number) {
    super('ERR_JSON_SYNTAX', `${problem} at line ${line} column ${column}`, { field: 'json' })
    this.problem = problem
    this.line = line
    this.column = column
  }
}

/** `null`, for defaults. */
export const jsonNull = 'null' as Json

/**
 * Checks that `text` is one JSON value and returns it in canonical form: the same string where it is so
 * already.
 * @throws JsonSyntaxError
 */
export function parseJson(text: string): Json {
  plain = true
  duplicates = false
  keyTop = 0
  const end = scanValue(text, skipSpace(text, 0), 0)
  const rest = skipSpace(text, end)
  if (rest !== text.length) throw syntax(text, 'trailing characters', rest)
  return (plain ? text : rewrite(text)) as Json
}

/** Whether a key came twice in an object of the text that `parseJson` took last. */
export function lastHadDuplicates(): boolean {
  return duplicates
}

/** Canonical text of a JavaScript value that JSON can hold; `undefined` members are left out. */
export function toJson(value: unknown): Json {
  return (JSON.stringify(value) ?? 'null') as Json
}

/** Canonical text of a string. */
export function quote(text: string): Json {
  return JSON.stringify(text) as Json
}

/** The string that a JSON string stands for. */
export function unquote(json: Json): string {
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1)
}

/** The string that `json` stands for; undefined where it stands for something else. */
export function stringOf(json: Json | undefined): string | undefined {
  return json !== undefined && kindOf(json) === 'string' ? unquote(json) : undefined
}

/** The JavaScript value of a text; loses what JavaScript cannot hold. */
export function fromJson(json: string): unknown {
  return JSON.parse(json)
}

export function kindOf(json: Json): JsonKind {
  switch (json.charCodeAt(0)) {
    case 0x7b:
      return 'object'
    case 0x5b:
      return 'array'
    case 0x22:
      return 'string'
    case 0x74:
    case 0x66:
      return 'boolean'
    case 0x6e:
      return 'null'
    default:
      return 'number'
  }
}

/** The member called `key` of an object; undefined where it is absent or `json` is no object. */
export function member(json: Json, key: string): Json | undefined {
  return memberByQuoted(json, quote(key))
}

/** As `member`, for a key already quoted. */
export function memberByQuoted(json: Json, quoted: Json): Json | undefined {
  if (json.charCodeAt(0) !== openBrace || json.charCodeAt(1) === closeBrace) return undefined
  const width = quoted.length
  let at = 1
  for (;;) {
    if (json.startsWith(quoted, at) && json.charCodeAt(at + width) === colon) {
      const start = at + width + 1
      return json.slice(start, skipValue(json, start)) as Json
    }
    at = skipValue(json, skipString(json, at) + 1)
    if (json.charCodeAt(at) !== comma) return undefined
    at++
  }
}

/** The element at `index` of an array; undefined where it is absent or `json` is no array. */
export function element(json: Json, index: number): Json | undefined {
  if (json.charCodeAt(0) !== openBracket || json.charCodeAt(1) === closeBracket) return undefined
  let at = 1
  for (let skipped = 0; skipped < index; skipped++) {
    at = skipValue(json, at)
    if (json.charCodeAt(at) !== comma) return undefined
    at++
  }
  return json.slice(at, skipValue(json, at)) as Json
}

/** All elements of an array; none where `json` is no array. */
export function elements(json: Json): Json[] {
  const list: Json[] = []
  if (json.charCodeAt(0) !== openBracket || json.charCodeAt(1) === closeBracket) return list
  let at = 1
  for (;;) {
    const end = skipValue(json, at)
    list.push(json.slice(at, end) as Json)
    if (json.charCodeAt(end) !== comma) return list
    at = end + 1
  }
}

/** All members of an object in their order, keys unquoted; none where `json` is no object. */
export function members(json: Json): [string, Json][] {
  const list: [string, Json][] = []
  if (json.charCodeAt(0) !== openBrace || json.charCodeAt(1) === closeBrace) return list
  let at = 1
  for (;;) {
    const keyEnd = skipString(json, at)
    const end = skipValue(json, keyEnd + 1)
    list.push([unquote(json.slice(at, keyEnd) as Json), json.slice(keyEnd + 1, end) as Json])
    if (json.charCodeAt(end) !== comma) return list
    at = end + 1
  }
}

/** Whether two values are equal, whatever the order of keys; `1` and `1.0` are two. */
export function sameJson(a: Json, b: Json): boolean {
  return a === b || (a.length === b.length && sorted(a, 0) === sorted(b, 0))
}

/** What lies deeper than a text may, as a flow can make it level by level, stays as it is. */
function sorted(json: Json, depth: number): string {
  const kind = depth > maxDepth ? 'string' : kindOf(json)
  if (kind === 'array')
    return `[${elements(json)
      .map((item) => sorted(item, depth + 1))
      .join(',')}]`
  if (kind !== 'object') return json
  const list = members(json).map(([key, value]) => `${quote(key)}:${sorted(value, depth + 1)}`)
  return `{${list.sort().join(',')}}`
}

/** An object of these members; those that are undefined are left out. */
export function objectOf(list: Iterable<readonly [string, Json | undefined]>): Json {
  let text = '{'
  for (const [key, value] of list) {
    if (value === undefined) continue
    text += `${text.length === 1 ? '' : ','}${quote(key)}:${value}`
  }
  return `${text}}` as Json
}

/** An array of these elements. */
export function arrayOf(list: readonly Json[]): Json {
  return `[${list.join(',')}]` as Json
}

const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const quoteMark = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a

// ---- skipping: over text known to be canonical --------------------------------------------------------------

/** Index after the string that starts at `at`. */
function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1)
  while (text.charCodeAt(end - 1) === backslash && escaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

/** Whether an odd number of backslashes stands before `at`. */
function escaped(text: string, at: number): boolean {
  let count = 0
  while (text.charCodeAt(at - 1 - count) === backslash) count++
  return count % 2 === 1
}

/** Index after the value that starts at `at`. */
function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === quoteMark) return skipString(text, at)
  if (first !== openBrace && first !== openBracket) {
    for (;;) {
      const unit = text.charCodeAt(++at)
      if (unit === comma || unit === closeBrace || unit === closeBracket || Number.isNaN(unit)) return at
    }
  }
  let depth = 0
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit === quoteMark) {
      at = skipString(text, at)
      continue
    }
    at++
    if (unit === openBrace || unit === openBracket) depth++
    else if (unit === closeBrace || unit === closeBracket) {
      if (--depth === 0) return at
    }
  }
}

// ---- scanning: checks foreign text, and notes in `plain` whether it is canonical -------------------------

// State of the scan under way; module variables because this is the hottest loop (bench/runtime/json.ts).
let plain = true
let duplicates = false
let keyHash = 0
let keyTop = 0
let keyHashes = new Int32Array(1024)

function skipSpace(text: string, at: number): number {
  let unit = text.charCodeAt(at)
  if (unit > 0x20) return at
  while (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) {
    plain = false
    unit = text.charCodeAt(++at)
  }
  return at
}

/** Index after the value at `at`. */
function scanValue(text: string, at: number, depth: number): number {
  const unit = text.charCodeAt(at)
  switch (unit) {
    case quoteMark:
      return scanString(text, at)
    case openBrace:
      return scanObject(text, at, depth + 1)
    case openBracket:
      return scanArray(text, at, depth + 1)
    case 0x74:
      return scanWord(text, at, 'true')
    case 0x66:
      return scanWord(text, at, 'false')
    case 0x6e:
      return scanWord(text, at, 'null')
    default:
      if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) return scanNumber(text, at)
      if (at >= text.length) throw syntax(text, 'EOF while parsing a value', at, true)
      throw syntax(text, 'expected value', at)
  }
}

function scanWord(text: string, at: number, word: string): number {
  if (text.startsWith(word, at)) return at + word.length
  let wrong = at
  while (wrong < text.length && text.charCodeAt(wrong) === word.charCodeAt(wrong - at)) wrong++
  throw wrong === text.length
    ? syntax(text, 'EOF while parsing a value', wrong, true)
    : syntax(text, 'expected ident', wrong)
}

function scanArray(text: string, at: number, depth: number): number {
  if (depth > maxDepth) throw syntax(text, 'recursion limit exceeded', at)
  at = skipSpace(text, at + 1)
  if (text.charCodeAt(at) === closeBracket) return at + 1
  if (at >= text.length) throw syntax(text, 'EOF while parsing a list', at, true)
  for (;;) {
    at = skipSpace(text, scanValue(text, at, depth))
    const unit = text.charCodeAt(at)
    if (unit === closeBracket) return at + 1
    if (unit !== comma) {
      throw at >= text.length
        ? syntax(text, 'EOF while parsing a list', at, true)
        : syntax(text, 'expected `,` or `]`', at)
    }
    at = skipSpace(text, at + 1)
    if (text.charCodeAt(at) === closeBracket) throw syntax(text, 'trailing comma', at)
  }
}

function scanObject(text: string, at: number, depth: number): number {
  if (depth > maxDepth) throw syntax(text, 'recursion limit exceeded', at)
  at = skipSpace(text, at + 1)
  if (text.charCodeAt(at) === closeBrace) return at + 1
  const keyBase = keyTop
  let seen: Set<number> | null = null
  for (let first = true; ; first = false) {
    if (text.charCodeAt(at) !== quoteMark) {
      throw at >= text.length
        ? syntax(text, `EOF while parsing ${first ? 'an object' : 'a value'}`, at, true)
        : syntax(text, 'key must be a string', at)
    }
    at = scanString(text, at)
    // Two keys with one hash may be one key twice: the rewriting sorts that out.
    const hash = keyHash
    if (seen !== null) {
      if (seen.has(hash)) plain = false
      seen.add(hash)
    } else {
      for (let index = keyBase; index < keyTop; index++) if (keyHashes[index] === hash) plain = false
      if (keyTop - keyBase === 24) {
        seen = new Set(keyHashes.subarray(keyBase, keyTop))
        seen.add(hash)
      } else {
        if (keyTop === keyHashes.length) keyHashes = grown(keyHashes)
        keyHashes[keyTop++] = hash
      }
    }
    at = skipSpace(text, at)
    if (text.charCodeAt(at) !== colon) {
      throw at >= text.length
        ? syntax(text, 'EOF while parsing an object', at, true)
        : syntax(text, 'expected `:`', at)
    }
    at = skipSpace(text, scanValue(text, skipSpace(text, at + 1), depth))
    const unit = text.charCodeAt(at)
    if (unit === closeBrace) {
      keyTop = keyBase
      return at + 1
    }
    if (unit !== comma) {
      throw at >= text.length
        ? syntax(text, 'EOF while parsing an object', at, true)
        : syntax(text, 'expected `,` or `}`', at)
    }
    at = skipSpace(text, at + 1)
    if (text.charCodeAt(at) === closeBrace) throw syntax(text, 'trailing comma', at)
  }
}

function grown(small: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const large = new Int32Array(small.length * 2)
  large.set(small)
  return large
}

function scanString(text: string, at: number): number {
  let hash = 17
  for (;;) {
    const unit = text.charCodeAt(++at)
    if (unit === quoteMark) {
      keyHash = hash
      return at + 1
    }
    if (unit === backslash) {
      at = scanEscape(text, at)
      hash = (Math.imul(hash, 31) + at) | 0
    } else if (unit >= 0x20) hash = (Math.imul(hash, 31) + unit) | 0
    else if (at >= text.length) throw syntax(text, 'EOF while parsing a string', at, true)
    else throw syntax(text, 'control character (\\u0000-\\u001F) found while parsing a string', at)
  }
}

/** Index of the last character of the escape at `at`. */
function scanEscape(text: string, at: number): number {
  const kind = text.charCodeAt(at + 1)
  switch (kind) {
    case quoteMark:
    case backslash:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return at + 1
    case 0x2f:
      plain = false
      return at + 1
    case 0x75: {
      const code = hexAt(text, at + 2)
      if (code >= 0x20 || code === 8 || code === 9 || code === 10 || code === 12 || code === 13) plain = false
      else if (/[A-F]/.test(text.slice(at + 2, at + 6))) plain = false
      if (code >= 0xd800 && code <= 0xdfff) {
        if (code >= 0xdc00) throw syntax(text, 'lone leading surrogate in hex escape', at + 5)
        if (text.charCodeAt(at + 6) !== backslash || text.charCodeAt(at + 7) !== 0x75) {
          throw syntax(text, 'unexpected end of hex escape', at + 6)
        }
        const low = hexAt(text, at + 8)
        if (low < 0xdc00 || low > 0xdfff) throw syntax(text, 'lone leading surrogate in hex escape', at + 11)
        return at + 11
      }
      return at + 5
    }
    default:
      if (at + 1 >= text.length) throw syntax(text, 'EOF while parsing a string', at + 1, true)
      throw syntax(text, 'invalid escape', at + 1)
  }
}

function hexAt(text: string, at: number): number {
  const digits = text.slice(at, at + 4)
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
    if (at + 4 > text.length) throw syntax(text, 'EOF while parsing a string', text.length, true)
    throw syntax(text, 'invalid escape', at + 3)
  }
  return Number.parseInt(digits, 16)
}

function scanNumber(text: string, at: number): number {
  const start = at
  let unit = text.charCodeAt(at)
  const negative = unit === 0x2d
  if (negative) unit = text.charCodeAt(++at)
  const digitsFrom = at
  if (unit === 0x30) {
    unit = text.charCodeAt(++at)
    if (unit >= 0x30 && unit <= 0x39) throw syntax(text, 'invalid number', at)
  } else {
    while (unit >= 0x30 && unit <= 0x39) unit = text.charCodeAt(++at)
    if (at === digitsFrom) throw badNumber(text, at)
  }
  let integer = true
  if (unit === 0x2e) {
    integer = false
    unit = text.charCodeAt(++at)
    const from = at
    while (unit >= 0x30 && unit <= 0x39) unit = text.charCodeAt(++at)
    if (at === from) throw badNumber(text, at)
  }
  if (unit === 0x65 || unit === 0x45) {
    integer = false
    unit = text.charCodeAt(++at)
    if (unit === 0x2b || unit === 0x2d) unit = text.charCodeAt(++at)
    const from = at
    while (unit >= 0x30 && unit <= 0x39) unit = text.charCodeAt(++at)
    if (at === from) throw badNumber(text, at)
  }
  if (!integer || at - digitsFrom > 15 || (negative && text.charCodeAt(digitsFrom) === 0x30)) {
    const literal = text.slice(start, at)
    const written = writeNumber(literal)
    if (written === null) throw syntax(text, 'number out of range', at, true)
    if (written !== literal) plain = false
  }
  return at
}

function badNumber(text: string, at: number): JsonSyntaxError {
  return at >= text.length
    ? syntax(text, 'EOF while parsing a value', at, true)
    : syntax(text, 'invalid number', at)
}

/** The column counts bytes from 1; at the end of the text it is that of the last byte. */
function syntax(text: string, problem: string, at: number, atEnd = false): JsonSyntaxError {
  // Of a character of several bytes the first is where the text goes wrong.
  const unit = atEnd ? '' : text.charAt(at) === '\n' ? '\n' : '.'
  const before = text.slice(0, at) + unit
  const lineStart = before.lastIndexOf('\n') + 1
  const line = before.split('\n').length
  return new JsonSyntaxError(problem, line, Buffer.byteLength(before.slice(lineStart)))
}

// ---- rewriting: text known to be JSON, but not canonical --------------------------------------------------

function rewrite(text: string): string {
  rewriteAt = skipSpace(text, 0)
  return rewriteValue(text)
}

let rewriteAt = 0

function rewriteValue(text: string): string {
  const unit = text.charCodeAt(rewriteAt)
  if (unit === quoteMark) return rewriteString(text)
  if (unit === openBrace) {
    const list = new Map<string, string>()
    rewriteAt = skipSpace(text, rewriteAt + 1)
    while (text.charCodeAt(rewriteAt) !== closeBrace) {
      const key = rewriteString(text)
      rewriteAt = skipSpace(text, skipSpace(text, rewriteAt) + 1)
      // A key that comes twice keeps its first place and its last value.
      if (list.has(key)) duplicates = true
      list.set(key, rewriteValue(text))
      nextInContainer(text)
    }
    rewriteAt++
    let out = '{'
    for (const [key, value] of list) out += `${out.length === 1 ? '' : ','}${key}:${value}`
    return `${out}}`
  }
  if (unit === openBracket) {
    let out = '['
    rewriteAt = skipSpace(text, rewriteAt + 1)
    while (text.charCodeAt(rewriteAt) !== closeBracket) {
      out += `${out.length === 1 ? '' : ','}${rewriteValue(text)}`
      nextInContainer(text)
    }
    rewriteAt++
    return `${out}]`
  }
  const start = rewriteAt
  while (/[-+.0-9a-zA-Z]/.test(text.charAt(rewriteAt))) rewriteAt++
  const word = text.slice(start, rewriteAt)
  return unit === 0x74 || unit === 0x66 || unit === 0x6e ? word : (writeNumber(word) ?? word)
}

function nextInContainer(text: string): void {
  rewriteAt = skipSpace(text, rewriteAt)
  if (text.charCodeAt(rewriteAt) === comma) rewriteAt = skipSpace(text, rewriteAt + 1)
}

function rewriteString(text: string): string {
  const end = skipString(text, rewriteAt)
  const raw = text.slice(rewriteAt, end)
  rewriteAt = end
  return raw.includes('\\') ? JSON.stringify(JSON.parse(raw)) : raw
}
