// Which bytes may stand where in an HTTP/1.1 head (RFC 9110 5.6.2, 5.5; RFC 9112 3.2), and one field line read strictly.

const tokenText = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/** 1 where the byte may stand in a token (method, field name). */
export const isToken = new Uint8Array(256)
for (const character of tokenText) isToken[character.charCodeAt(0)] = 1

/** 1 where the byte may stand in a field value: visible ASCII, space, tab and obs-text; no other control. */
export const isValue = new Uint8Array(256)
for (let byte = 0x20; byte < 256; byte++) if (byte !== 0x7f) isValue[byte] = 1
isValue[0x09] = 1

/** 1 where the byte may stand in a request target: visible ASCII but `#`, which starts a fragment. */
export const isTarget = new Uint8Array(256)
for (let byte = 0x21; byte < 0x7f; byte++) if (byte !== 0x23) isTarget[byte] = 1

export const CR = 0x0d
export const LF = 0x0a
export const SP = 0x20
export const TAB = 0x09
export const COLON = 0x3a

/** What `readField` found. */
export const fieldFound = 0
/** The empty line that ends the head; `next` is behind it. */
export const fieldsEnd = 1
export const fieldIncomplete = 2
export const fieldBad = 3

/** One field line: offsets into the bytes it was read from. Reused from line to line. */
export class FieldLine {
  start = 0
  nameEnd = 0
  valueStart = 0
  valueEnd = 0
  /** Index behind the line's LF. */
  next = 0
  /** A tab stands behind the value. HTTP allows it; parsers disagree on what a framing field then says. */
  tabbed = false
  /** True: `name: value CRLF` as we would write it, so these bytes can be copied as they stand. */
  canonical = false
}

/**
 * Reads the line at `pos` into `line`. Fails closed: no folding, no space before the colon, no bare CR or
 * LF, no control byte.
 */
export function readField(bytes: Uint8Array, pos: number, end: number, line: FieldLine): number {
  if (pos >= end) return fieldIncomplete
  let at = pos
  let byte = bytes[at]!
  if (byte === CR) {
    if (at + 1 >= end) return fieldIncomplete
    line.next = at + 2
    return bytes[at + 1] === LF ? fieldsEnd : fieldBad
  }
  while (isToken[byte] === 1) {
    if (++at === end) return fieldIncomplete
    byte = bytes[at]!
  }
  if (byte !== COLON || at === pos) return fieldBad
  line.start = pos
  line.nameEnd = at
  if (++at === end) return fieldIncomplete
  byte = bytes[at]!
  while (byte === SP || byte === TAB) {
    if (++at === end) return fieldIncomplete
    byte = bytes[at]!
  }
  line.valueStart = at
  while (isValue[byte] === 1) {
    if (++at === end) return fieldIncomplete
    byte = bytes[at]!
  }
  if (byte !== CR) return fieldBad
  if (at + 1 >= end) return fieldIncomplete
  if (bytes[at + 1] !== LF) return fieldBad
  line.next = at + 2
  const rawEnd = at
  while (at > line.valueStart && (bytes[at - 1] === SP || bytes[at - 1] === TAB)) at--
  line.valueEnd = at
  line.tabbed = at !== rawEnd && hasTab(bytes, at, rawEnd)
  line.canonical =
    at === rawEnd &&
    at > line.valueStart &&
    line.valueStart === line.nameEnd + 2 &&
    bytes[line.nameEnd + 1] === SP
  return fieldFound
}

function hasTab(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] === TAB) return true
  return false
}

/** Whether the name at `start` (of `name`'s length) is `name`, which is lower-case letters and hyphens. */
export function nameIs(bytes: Uint8Array, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    // Folds A-Z to a-z; no other token byte is folded onto a letter or a hyphen.
    if ((bytes[start + index]! | 0x20) !== name.charCodeAt(index)) return false
  }
  return true
}

/** The digits from `start` to `end` as a number; -1 where they are none, or over 2^53 - 1. */
export function readLength(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return -1
  let at = start
  while (at < end - 1 && bytes[at] === 0x30) at++
  if (end - at > 16) return -1
  let value = 0
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return Number.isSafeInteger(value) ? value : -1
}

/** Members of a comma-separated list of tokens, lower-case; null where a member is empty or no token. */
export function readTokens(text: string): string[] | null {
  const tokens = text.split(',').map((part) => part.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase())
  return tokens.every((token) => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(token)) ? tokens : null
}

/** `fields` (lines as we write them) without the ones called any of `names` (lower-case). */
export function withoutFields(fields: string, names: readonly string[]): string {
  return fields
    .split('\r\n')
    .filter((line) => !names.includes(line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase()))
    .join('\r\n')
}
