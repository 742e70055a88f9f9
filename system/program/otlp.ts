// What goes to an OTLP/HTTP collector (opentelemetry.io/docs/specs/otlp): spans, log lines and metrics, as JSON.

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Registry } from 'prom-client'
import type { Log } from './log.ts'

const sendTimeoutMs = 5_000
const logFlushMs = 1_000
/** Lines kept while the collector is slow. */
const maxWaitingLines = 4_096
const metricsEveryMs = 10_000

/** OTLP's numbers for our levels. */
const severities: Readonly<Record<string, number>> = {
  trace: 1,
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
  fatal: 21,
}

/** Where it goes, and who sends it. */
export interface Collector {
  /** Base URL of an OTLP/HTTP collector. */
  readonly endpoint: string
  /** `service.name` there. */
  readonly service: string
}

/** The part of a request that says who sends. */
export function otlpResource(service: string): object {
  return { attributes: [{ key: 'service.name', value: { stringValue: service } }] }
}

/** Milliseconds as nanoseconds, beyond what a double holds exactly. */
export function nanos(ms: number): string {
  return (BigInt(Math.round(ms * 1_000)) * 1_000n).toString()
}

/**
 * Posts `body`, as an object or as its JSON, to `path` (`/v1/traces`, `/v1/logs`, `/v1/metrics`) of the collector.
 * @throws Error where it does not take it within 5 s
 */
export function postOtlp({ endpoint }: Collector, path: string, body: object | string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Under the endpoint's own path, as OTLP has it.
    const url = new URL(endpoint.replace(/\/+$/, '') + path)
    const fail = (error: Error): void =>
      reject(error.name === 'AbortError' ? new Error('the collector is too slow') : error)
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const outgoing = request(
      url,
      {
        method: 'POST',
        signal: AbortSignal.timeout(sendTimeoutMs),
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (answer) => {
        answer.resume()
        answer.on('end', () => {
          const status = answer.statusCode ?? 0
          if (status >= 200 && status < 300) resolve()
          else reject(new Error(`the collector answered ${status}`))
        })
        answer.on('error', fail)
        // After its end this changes nothing.
        answer.on('close', () => reject(new Error('the collector cut its answer off')))
      },
    )
    outgoing.on('error', fail)
    outgoing.end(text)
  })
}

/** Where log lines (JSON, one object each) go in batches. */
export interface LineExporter {
  write(line: string): void
  /** Sends what waits. */
  flush(): Promise<void>
}

/**
 * Sends log lines to the collector. Lines that it does not take, or that are too many for it, go to `spare`, so that
 * none is lost.
 */
export function exportLines(collector: Collector, spare: (line: string) => void): LineExporter {
  let waiting: string[] = []
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return
    const lines = waiting
    waiting = []
    try {
      await postOtlp(collector, '/v1/logs', logRequest(collector.service, lines))
    } catch {
      for (const line of lines) spare(line)
    }
  }
  setInterval(() => void flush(), logFlushMs).unref()
  // A program that ends without a last word to the collector, as at a deadline, still has its last lines somewhere.
  process.on('exit', () => {
    for (const line of waiting) spare(line)
  })
  return {
    write(line) {
      if (waiting.length < maxWaitingLines) waiting.push(line)
      else spare(line)
    },
    flush,
  }
}

function logRequest(service: string, lines: readonly string[]): object {
  const logRecords = lines.map((line) => {
    const { time, level, event, program: _program, ...fields } = JSON.parse(line) as Record<string, unknown>
    return {
      timeUnixNano: nanos(Date.parse(String(time))),
      severityNumber: severities[String(level)] ?? 0,
      severityText: String(level).toUpperCase(),
      body: { stringValue: String(event) },
      attributes: Object.entries(fields).map(([key, value]) => ({ key, value: otlpValue(value) })),
    }
  })
  const resource = otlpResource(service)
  return { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: service }, logRecords }] }] }
}

/** A value in OTLP's form. */
export function otlpValue(value: unknown): object {
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  }
  return { stringValue: typeof value === 'string' ? value : JSON.stringify(value) }
}

/** Sends all metrics of `registry` every 10 s; the returned function sends them once more, and ends it. */
export function exportMetrics(
  registry: Registry,
  collector: Collector,
  log: Log,
  everyMs = metricsEveryMs,
): () => Promise<void> {
  const startedAt = nanos(Date.now())
  let failing = false
  const send = async (): Promise<void> => {
    try {
      const families = (await registry.getMetricsAsJSON()) as unknown as readonly Family[]
      const scope = { name: collector.service }
      const metrics = families.map((family) => otlpMetric(family, startedAt, nanos(Date.now())))
      const resource = otlpResource(collector.service)
      await postOtlp(collector, '/v1/metrics', {
        resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }],
      })
      failing = false
    } catch (error) {
      // Once, not every time: what follows has all of it.
      if (!failing)
        log.warn(
          {
            endpoint: new URL(collector.endpoint).origin,
            error: error instanceof Error ? error.message : String(error),
          },
          'metrics not sent',
        )
      failing = true
    }
  }
  const timer = setInterval(() => void send(), everyMs).unref()
  return async () => {
    clearInterval(timer)
    await send()
  }
}

/** A metric as a registry of prom-client tells it. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly {
    readonly metricName?: string
    readonly labels: Readonly<Record<string, string | number>>
    readonly value: number
  }[]
}

/** OTLP's data of one metric; times are nanoseconds. */
export function otlpMetric({ name, help, type, values }: Family, startedAt: string, now: string): object {
  const attributes = (labels: Readonly<Record<string, string | number>>): object[] =>
    Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: String(value) } }))
  const times = { startTimeUnixNano: startedAt, timeUnixNano: now }
  if (type !== 'histogram') {
    const dataPoints = values.map(({ labels, value }) => ({
      attributes: attributes(labels),
      ...times,
      asDouble: value,
    }))
    // AGGREGATION_TEMPORALITY_CUMULATIVE
    const data =
      type === 'counter'
        ? { sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } }
        : { gauge: { dataPoints } }
    return { name, description: help, ...data }
  }
  const points = new Map<
    string,
    { labels: Record<string, string | number>; bounds: number[]; below: number[]; sum: number }
  >()
  for (const { metricName, labels, value } of values) {
    const { le, ...rest } = labels
    const key = JSON.stringify(rest)
    const point = points.get(key) ?? { labels: rest, bounds: [], below: [], sum: 0 }
    points.set(key, point)
    if (metricName === `${name}_sum`) point.sum = value
    else if (le !== undefined) {
      point.below.push(value)
      if (le !== '+Inf') point.bounds.push(Number(le))
    }
  }
  const dataPoints = [...points.values()].map(({ labels, bounds, below, sum }) => ({
    attributes: attributes(labels),
    ...times,
    count: String(below.at(-1) ?? 0),
    sum,
    bucketCounts: below.map((count, index) => String(count - (below[index - 1] ?? 0))),
    explicitBounds: bounds,
  }))
  return { name, description: help, histogram: { dataPoints, aggregationTemporality: 2 } }
}
