// Spans on their way: to an OTLP/HTTP collector in batches, or into the log.

import type { Log } from './log.ts'
import { type Collector, nanos, otlpResource, otlpValue, postOtlp } from './otlp.ts'

/** Where spans go. */
export interface TraceSettings {
  /** Null: spans go into the log. */
  readonly collector: Collector | null
}

/** A span that has ended. */
export interface EndedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Null: the trace begins here. */
  readonly parentId: string | null
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client'
  /** Wall-clock time, ms since the epoch. */
  readonly startMs: number
  readonly durationMs: number
  /** Those that are null are left out. */
  readonly attributes: Readonly<Record<string, string | number | null>>
  /** What went wrong, in words; empty where there are none, null where nothing did. */
  readonly problem: string | null
}

export interface SpanExporter {
  /** Spans that were dropped because the collector was too slow or did not take them. */
  readonly dropped: number
  add(span: EndedSpan): void
  /** Sends what waits. */
  flush(): Promise<void>
  close(): void
}

const flushMs = 1_000
/** Spans that make a batch before the time is up. */
const batchSpans = 1_024
/** Spans kept while the collector is slow. */
const maxWaiting = 4_096
/** Characters of a name, an attribute or a problem: some come from peers, and may be as long as a message. */
const maxChars = 1_000

/** OTLP's numbers of the kinds (SPAN_KIND_*). */
const kinds = { internal: 1, server: 2, client: 3 } as const

/** Opens the way for a program's spans; `log` hears of those that are lost. */
export function openSpans({ collector }: TraceSettings, log: Log): SpanExporter {
  /** As JSON: a string that was cut out of a message would keep all of it. */
  let waiting: string[] = []
  let dropped = 0
  let overflown = 0
  let sending: Promise<void> | null = null
  const lose = (spans: number, error: string): void => {
    if (spans > 0) log.warn({ spans, error }, 'spans lost')
  }
  const send = async (to: Collector): Promise<void> => {
    while (waiting.length > 0) {
      const spans = waiting
      waiting = []
      try {
        await postOtlp(to, '/v1/traces', exportRequest(to.service, spans))
      } catch (error) {
        dropped += spans.length
        lose(spans.length, error instanceof Error ? error.message : String(error))
      }
      lose(overflown, 'the collector is too slow')
      overflown = 0
    }
  }
  // One batch at a time: a collector that is slow is not given more at once.
  const flush = async (): Promise<void> => {
    if (collector === null) return
    sending ??= send(collector).finally(() => {
      sending = null
    })
    await sending
  }
  const timer = collector === null ? undefined : setInterval(() => void flush(), flushMs).unref()
  return {
    get dropped() {
      return dropped
    },
    add(span) {
      if (collector === null) {
        log.info(logFields(span), 'span')
      } else if (waiting.length >= maxWaiting) {
        dropped++
        overflown++
      } else if (waiting.push(JSON.stringify(otlpSpan(span))) >= batchSpans && sending === null) void flush()
    },
    flush,
    close() {
      clearInterval(timer)
    },
  }
}

function exportRequest(service: string, spans: readonly string[]): string {
  const resource = JSON.stringify(otlpResource(service))
  const scope = JSON.stringify({ name: service })
  return `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":${scope},"spans":[${spans.join()}]}]}]}`
}

function otlpSpan(span: EndedSpan): object {
  const { traceId, spanId, parentId, name, kind, startMs, durationMs, attributes, problem } = span
  return {
    traceId,
    spanId,
    ...(parentId === null ? {} : { parentSpanId: parentId }),
    name: cut(name),
    kind: kinds[kind],
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(startMs + durationMs),
    attributes: Object.entries(attributes).flatMap(([key, value]) =>
      value === null ? [] : [{ key, value: otlpValue(cut(value)) }],
    ),
    // STATUS_CODE_ERROR
    status: problem === null ? {} : { code: 2, ...(problem === '' ? {} : { message: cut(problem) }) },
  }
}

/** With the names that all other lines have: `runId`, not OpenTelemetry's `run_id`. */
function logFields({ attributes, name, problem, ...rest }: EndedSpan): object {
  const fields = Object.entries(attributes).map(([key, value]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value === null ? null : cut(value),
  ])
  return {
    ...rest,
    name: cut(name),
    problem: problem === null ? null : cut(problem),
    ...Object.fromEntries(fields),
  }
}

function cut<T extends string | number>(value: T): T | string {
  return typeof value === 'string' && value.length > maxChars ? `${value.slice(0, maxChars)}…` : value
}
