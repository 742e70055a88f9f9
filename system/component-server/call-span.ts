// The span of a component call: under whoever sent it, and told to what the component starts.

import type { SpanExporter } from '../program/spans.ts'
import {
  isSampled,
  isSpanId,
  isTraceId,
  newSpanId,
  newTraceId,
  parseTraceparent,
} from '../program/trace-context.ts'
import type { CallIds, Message, PostHead } from './messages.ts'
import type { CallCounts } from './metrics.ts'

type Execute = Extract<Message, { kind: 'execute' }>

/** A call whose span has begun. */
export interface SpannedCall {
  /** Its ids are those of the span: callbacks, and what the component does by itself, hang under it. */
  readonly message: Execute
  /** Counts the call's end, and ends its span. */
  readonly count: CallCounts
}

/** Begins the span of a call; it is sent to `spans` when `count` hears of the call's end. */
export function beginCallSpan(
  spans: SpanExporter,
  message: Execute,
  head: PostHead,
  count: CallCounts,
): SpannedCall {
  const startMs = Date.now()
  const { traceId, parentId, sampled } = parentOf(message.ids, head.traceparent)
  const spanId = newSpanId()
  const { component, attempt, requestId, ids } = message
  return {
    message: { ...message, ids: { ...ids, traceId, spanId } },
    count: {
      ended(outcome, ms, problem) {
        count.ended(outcome, ms)
        if (!sampled) return
        spans.add({
          // The name that Stepflow's worker gives it.
          ...{
            traceId,
            spanId,
            parentId,
            name: `component:${component}`,
            kind: 'server',
            startMs,
            durationMs: ms,
          },
          attributes: {
            component,
            attempt,
            run_id: ids.runId ?? null,
            flow_id: ids.flowId ?? null,
            step_id: ids.stepId ?? null,
            request_id: requestId,
            'error.type': outcome === 'success' ? null : outcome,
          },
          problem: outcome === 'success' ? null : (problem ?? outcome),
        })
      },
    },
  }
}

/**
 * A balancer on the way puts its own span into `traceparent`, which is nearer than the runtime's in the message. Where
 * the two are of different traces the message is right: the balancer began a new one, because the runtime sent none.
 */
function parentOf(
  ids: CallIds,
  traceparent: string | undefined,
): { readonly traceId: string; readonly parentId: string | null; readonly sampled: boolean } {
  const parent = traceparent === undefined ? null : parseTraceparent(traceparent)
  const told = ids.traceId !== undefined && isTraceId(ids.traceId) ? ids.traceId : null
  if (parent !== null && (told === null || told === parent.traceId)) {
    return { traceId: parent.traceId, parentId: parent.spanId, sampled: isSampled(parent.flags) }
  }
  if (told === null) return { traceId: newTraceId(), parentId: null, sampled: true }
  const { spanId } = ids
  return { traceId: told, parentId: spanId !== undefined && isSpanId(spanId) ? spanId : null, sampled: true }
}
