// W3C trace context: taken from the request that starts a run, handed on with each call of a component.

/** What a run was started within. */
export interface Trace {
  /** 32 hex digits. */
  readonly traceId: string
  /** 2 hex digits; 01: sampled. */
  readonly flags: string
  /** As it came; empty where none did. */
  readonly state: string
}

/** Characters of `tracestate` that are handed on (W3C Trace Context 3.3.1.5). */
const maxStateChars = 512

/** Null where `traceparent` is absent or not valid: then it is as if nothing had come. */
export function readTrace(parent: string | undefined, state: string | undefined): Trace | null {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/.exec(parent ?? '')
  const [, traceId, spanId, flags] = match ?? []
  if (traceId === undefined || flags === undefined || parent?.startsWith('ff')) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId ?? '')) return null
  const kept =
    state !== undefined && state.length <= maxStateChars && /^[\x20-\x7e]*$/.test(state) ? state : ''
  return { traceId, flags, state: kept }
}

/** Header lines, each with its CRLF, for a span of the trace. */
export function traceHead(trace: Trace, spanId: string): string {
  const state = trace.state === '' ? '' : `tracestate: ${trace.state}\r\n`
  return `traceparent: 00-${trace.traceId}-${spanId}-${trace.flags}\r\n${state}`
}
