// The span of a callback that the runtime serves: under whatever in the component asked, told to the run it starts.

import type { EndedSpan, SpanExporter } from '../../../program/spans.ts'
import { isSpanId, newSpanId } from '../../../program/trace-context.ts'
import { type Json, jsonNull, member, stringOf } from '../../../wire/json.ts'
import { wallNow } from '../../clock.ts'
import type { StepCall } from '../plugin.ts'
import type { CallbackAnswer, CallbackCaller } from './call.ts'

export interface CallbackSpan {
  /** The call as who serves the callback sees it: what it starts hangs under this span. */
  readonly caller: CallbackCaller
  end(answer: CallbackAnswer): void
}

/**
 * Begins the span of a callback of `call`; null where none of the call's are recorded. It covers the serving, as the
 * one that Stepflow 0.9 has the code for and never records (its `observability_context` is always None): what delivers
 * the reply is seen in the component's own span.
 */
export function beginCallbackSpan(
  spans: SpanExporter,
  call: StepCall,
  callback: { readonly method: string; readonly params: Json | undefined; readonly pod: string | undefined },
): CallbackSpan | null {
  const { trace, spanId: attemptId, runId, flowId, stepId, item, component, attempt } = call
  if (trace === null || attemptId === null) return null
  const { traceId } = trace
  const begun = {
    ...{ traceId, spanId: newSpanId(), parentId: parentIn(callback.params, traceId) ?? attemptId },
    name: callback.method,
    kind: 'server',
    startMs: wallNow(),
  } as const satisfies Partial<EndedSpan>
  return {
    caller: { runId, trace, spanId: begun.spanId },
    end(answer) {
      const error = 'error' in answer ? answer.error : null
      spans.add({
        ...begun,
        durationMs: wallNow() - begun.startMs,
        attributes: {
          run_id: runId,
          flow_id: flowId,
          step_id: stepId,
          item,
          component,
          attempt,
          pod: callback.pod ?? null,
          'error.type': error === null ? null : String(error.code),
        },
        problem: error === null ? null : error.message,
      })
    },
  }
}

/** The span that the callback names; null where it names none of the trace that its call belongs to. */
function parentIn(params: Json | undefined, traceId: string): string | null {
  const ids = member(params ?? jsonNull, 'observability') ?? jsonNull
  const spanId = stringOf(member(ids, 'span_id')) ?? ''
  return stringOf(member(ids, 'trace_id')) === traceId && isSpanId(spanId) ? spanId : null
}
