// W3C trace context: the balancer's own span between the client's and the pod's.

import { randomFillSync } from 'node:crypto'

export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Null: the trace begins here. */
  readonly parentId: string | null
  readonly sampled: boolean
  /** Wall-clock time, ms since the epoch. */
  readonly startMs: number
}

/** What a span says of its request when it ends. */
export interface SpanEnd {
  readonly durationMs: number
  readonly method: string
  readonly target: string
  readonly status: number
  readonly backend: string | null
  readonly reason: string | null
}

export interface Tracer {
  end(span: Span, end: SpanEnd): void
}

/** Begins a span under `traceparent`, or a new trace where that is absent or malformed (then it is not passed on). */
export function beginSpan(traceparent: string | null): Span {
  const parent = traceparent === null ? null : parseTraceparent(traceparent)
  return {
    traceId: parent?.traceId ?? randomHex(16),
    spanId: randomHex(8),
    parentId: parent?.spanId ?? null,
    sampled: parent?.sampled ?? true,
    startMs: Date.now(),
  }
}

/** The field line that tells the pod of `span`. */
export function traceparentLine(span: Span): string {
  return `traceparent: 00-${span.traceId}-${span.spanId}-${span.sampled ? '01' : '00'}\r\n`
}

export function parseTraceparent(
  text: string,
): { readonly traceId: string; readonly spanId: string; readonly sampled: boolean } | null {
  // Later versions may append fields (W3C Trace Context 3.2.4).
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text)
  if (match === null) return null
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
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
  // All zeros mean "none".
  return /^0+$/.test(hex) ? randomHex(bytes) : hex
}
