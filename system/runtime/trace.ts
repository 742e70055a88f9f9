// W3C trace context: taken from the request that starts a run, handed on with each call of a component.

import { parseTraceparent, traceparentLine } from '../program/trace-context.ts'

/** What a run was started within. */
export interface Trace {
  /** 32 hex digits. */
  readonly traceId: string
  /** The span that what is started belongs under, 16 hex digits; null: the trace begins there. */
  readonly spanId: string | null
  /** 2 hex digits; 01: sampled. */
  readonly flags: string
  /** As it came; empty where none did. */
  readonly state: string
}

/** Characters of `tracestate` that are handed on (W3C Trace Context 3.3.1.5). */
const maxStateChars = 512

/** Null where `traceparent` is absent or not valid: then it is as if nothing had come. */
export function readTrace(parent: string | undefined, state: string | undefined): Trace | null {
  const read = parent === undefined ? null : parseTraceparent(parent)
  if (read === null) return null
  const kept =
    state !== undefined && state.length <= maxStateChars && /^[\x20-\x7e]*$/.test(state) ? state : ''
  return { ...read, state: kept }
}

/** The trace that begins with a run; components hear of it under the run's id, as Stepflow has it. */
export function newTrace(runId: string): Trace {
  return { traceId: runId.replaceAll('-', ''), spanId: null, flags: '01', state: '' }
}

/** The trace of what a call starts: under the call's own span, where it has one. */
export function within(call: { readonly trace: Trace | null; readonly spanId: string | null }): Trace | null {
  const { trace, spanId } = call
  return trace === null || spanId === null ? trace : { ...trace, spanId }
}

/** Header lines, each with its CRLF, for a span of the trace. */
export function traceHead(trace: Trace, spanId: string): string {
  const state = trace.state === '' ? '' : `tracestate: ${trace.state}\r\n`
  return traceparentLine({ ...trace, spanId }) + state
}
