// Ids of runs and requests: UUIDv7, lower-case, in the order they were made.

import { randomFillSync } from 'node:crypto'

const pool = Buffer.allocUnsafe(10 * 512)
let used = pool.length
let lastMs = 0
let sequence = 0

/** The id being written, in ASCII: made at one go it is a flat string, which matters where many are kept. */
const text = Buffer.from('00000000-0000-7000-8000-000000000000', 'latin1')
const digits = Buffer.from('0123456789abcdef', 'latin1')

/** A new UUIDv7 (RFC 9562 5.7): ms since the epoch, a counter within the millisecond, random bits. */
export function newId(nowMs: number = Date.now()): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const at = used
  used += 10
  if (nowMs > lastMs) {
    lastMs = nowMs
    writeTimeDigits(nowMs)
    // Starts low enough for 2,048 ids in one millisecond to stay in order.
    sequence = pool.readUInt16BE(at) & 0x7ff
  } else if (++sequence > 0xfff) {
    writeTimeDigits(++lastMs)
    sequence = 0
  }
  text[15] = digits[sequence >> 8] as number
  text[16] = digits[(sequence >> 4) & 15] as number
  text[17] = digits[sequence & 15] as number
  writeByte(19, ((pool[at + 2] as number) & 0x3f) | 0x80)
  writeByte(21, pool[at + 3] as number)
  for (let index = 0; index < 6; index++) writeByte(24 + index * 2, pool[at + 4 + index] as number)
  return text.toString('latin1')
}

function writeTimeDigits(ms: number): void {
  text.write(ms.toString(16).padStart(12, '0'), 0, 'latin1')
  text.copyWithin(9, 8, 12)
  text[8] = 0x2d
}

function writeByte(at: number, byte: number): void {
  text[at] = digits[byte >> 4] as number
  text[at + 1] = digits[byte & 15] as number
}

/** A UUID of a path in the usual form; null where it is none. Upper case, braces and no hyphens are fine. */
export function readUuid(text: string): string | null {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)) return text
  const bare = stripped(text).toLowerCase()
  const digits = bare.replace(/^(.{8})-(.{4})-(.{4})-(.{4})-(.{12})$/, '$1$2$3$4$5')
  if (!/^[0-9a-f]{32}$/.test(digits)) return null
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`
}

function stripped(text: string): string {
  return text.startsWith('urn:uuid:') ? text.slice(9) : text.replace(/^\{(.*)\}$/, '$1')
}

/** Why a text is no UUID, in the words of Stepflow. */
export function uuidProblem(text: string): string {
  const bare = stripped(text)
  const wrong = bare.search(/[^0-9a-fA-F-]/)
  if (wrong !== -1) {
    const offset = text.indexOf(bare)
    return (
      'invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], ' +
      `found \`${String.fromCodePoint(bare.codePointAt(wrong) ?? 0)}\` at ${wrong + offset + 1}`
    )
  }
  const groups = bare.split('-')
  if (groups.length === 1) return `invalid length: expected length 32 for simple format, found ${bare.length}`
  if (groups.length !== 5) return `invalid group count: expected 5, found ${groups.length}`
  const expected = [8, 4, 4, 4, 12]
  const group = groups.findIndex((each, index) => each.length !== expected[index])
  return `invalid group length in group ${group}: expected ${expected[group]}, found ${groups[group]?.length}`
}
