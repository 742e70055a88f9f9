// Where the balancer's spans go: to an OTLP/HTTP collector in batches, or into the log.

import type { Log } from '../program/log.ts'
import { nanos, otlpResource, postOtlp, serviceOf } from '../program/otlp.ts'
import type { Span, SpanEnd, Tracer } from './trace.ts'

export interface TraceSettings {
  /** Base URL of an OTLP/HTTP collector; null: spans go into the log. */
  readonly endpoint: string | null
}

export interface SpanExporter extends Tracer {
  /** Spans that were dropped because the collector was too slow or did not take them. */
  readonly dropped: number
  /** Sends what waits. */
  flush(): Promise<void>
  close(): void
}

const flushMs = 1_000
/** Spans kept while the collector is slow. */
const maxWaiting = 4_096

export function openTracer(settings: TraceSettings, log: Log): SpanExporter {
  const { endpoint } = settings
  let waiting: object[] = []
  let dropped = 0
  const flush = async (): Promise<void> => {
    if (endpoint === null || waiting.length === 0) return
    const spans = waiting
    waiting = []
    try {
      await postOtlp(endpoint, '/v1/traces', exportRequest(spans))
    } catch (error) {
      dropped += spans.length
      log.warn(
        { error: error instanceof Error ? error.message : String(error), spans: spans.length },
        'spans lost',
      )
    }
  }
  const timer = setInterval(() => void flush(), flushMs).unref()
  return {
    get dropped() {
      return dropped
    },
    end(span, end) {
      if (!span.sampled) return
      if (endpoint === null) log.info({ ...span, ...end }, 'span')
      else if (waiting.length < maxWaiting) waiting.push(otlpSpan(span, end))
      else dropped++
    },
    flush,
    close() {
      clearInterval(timer)
    },
  }
}

function otlpSpan(span: Span, end: SpanEnd): object {
  const attribute = (key: string, value: string | number | null): object[] =>
    value === null
      ? []
      : [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }]
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === null ? {} : { parentSpanId: span.parentId }),
    name: end.method,
    // SPAN_KIND_SERVER
    kind: 2,
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(span.startMs + end.durationMs),
    attributes: [
      ...attribute('http.request.method', end.method),
      ...attribute('url.path', end.target.replace(/\?.*/s, '')),
      ...attribute('http.response.status_code', end.status),
      ...attribute('server.address', end.backend),
      ...attribute('error.type', end.reason),
    ],
    // STATUS_CODE_ERROR
    status: end.reason !== null || end.status >= 500 ? { code: 2 } : {},
  }
}

function exportRequest(spans: readonly object[]): object {
  const resource = otlpResource(serviceOf('balancer'))
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'balancer' }, spans }] }] }
}
