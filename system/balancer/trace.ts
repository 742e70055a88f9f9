// The balancer's own span between the client's and the pod's, in the same W3C trace.

import type { EndedSpan } from '../program/spans.ts'
import {
  isSampled,
  newSpanId,
  newTraceId,
  parseTraceparent,
  traceparentLine,
} from '../program/trace-context.ts'

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

/** Begins a span under `traceparent`, or a new trace where that is absent or malformed (then it is not passed on). */
export function beginSpan(traceparent: string | null): Span {
  const parent = traceparent === null ? null : parseTraceparent(traceparent)
  return {
    traceId: parent?.traceId ?? newTraceId(),
    spanId: newSpanId(),
    parentId: parent?.spanId ?? null,
    sampled: parent === null || isSampled(parent.flags),
    startMs: Date.now(),
  }
}

/** The field line that tells the pod of `span`. */
export function spanLine({ traceId, spanId, sampled }: Span): string {
  return traceparentLine({ traceId, spanId, flags: sampled ? '01' : '00' })
}

/** `span` as a collector gets it. */
export function endSpan(span: Span, end: SpanEnd): EndedSpan {
  const { traceId, spanId, parentId, startMs } = span
  const { durationMs, method, target, status, backend, reason } = end
  return {
    ...{ traceId, spanId, parentId, name: method, kind: 'server', startMs, durationMs },
    attributes: {
      'http.request.method': method,
      'url.path': target.replace(/\?.*/s, ''),
      'http.response.status_code': status,
      'server.address': backend,
      'error.type': reason,
    },
    problem: reason ?? (status >= 500 ? '' : null),
  }
}
