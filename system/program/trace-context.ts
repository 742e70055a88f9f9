// W3C trace context: the header `traceparent` read and written, and new ids.

import { randomFillSync } from 'node:crypto'

/** A span of another program, as `traceparent` names it. */
export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  /** 2 hex digits, as they came. */
  readonly flags: string
}

/** Null where `text` is no valid `traceparent`: then it is as if nothing had come. */
export function parseTraceparent(text: string): TraceParent | null {
  // Later versions may append fields (W3C Trace Context 3.2.4).
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text)
  if (match === null) return null
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null
  return isTraceId(traceId) && isSpanId(spanId) ? { traceId, spanId, flags } : null
}

/** Whether spans of a trace with these flags are recorded. */
export function isSampled(flags: string): boolean {
  return (Number.parseInt(flags, 16) & 1) === 1
}

/** The header line, with its CRLF, that names a span to whoever is called. */
export function traceparentLine({ traceId, spanId, flags }: TraceParent): string {
  return `traceparent: 00-${traceId}-${spanId}-${flags}\r\n`
}

// All zeros mean "none" (W3C Trace Context 3.2.2.3).

export function isTraceId(text: string): boolean {
  return /^(?!0+$)[0-9a-f]{32}$/.test(text)
}

export function isSpanId(text: string): boolean {
  return /^(?!0+$)[0-9a-f]{16}$/.test(text)
}

export function newTraceId(): string {
  return randomHex(16)
}

export function newSpanId(): string {
  return randomHex(8)
}

const pool = Buffer.alloc(4_096)
let used = pool.length

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  const hex = pool.toString('hex', used - bytes, used)
  return /^0+$/.test(hex) ? randomHex(bytes) : hex
}
