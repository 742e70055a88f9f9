// What a program says of itself: the flags for its log, spans and metrics, and where they go. All three take them.

import { setTimeout as delay } from 'node:timers/promises'
import type { Registry } from 'prom-client'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import type { Flags, FlagValues } from './flags.ts'
import { type Log, type LogOptions, logFlags } from './log.ts'
import { type Collector, exportMetrics } from './otlp.ts'
import { openSpans, type SpanExporter, type TraceSettings } from './spans.ts'

/** The observability flags of Stepflow 0.9, with its environment variables. */
export const telemetryFlags = {
  ...logFlags,
  'other-log-level': {
    kind: 'choice',
    choices: logFlags['log-level'].choices,
    default: 'info',
    env: 'STEPFLOW_OTHER_LOG_LEVEL',
    help: 'Taken because the original has it: the level of what libraries log, and none of ours logs',
  },
  'trace-enabled': {
    kind: 'switch',
    env: 'STEPFLOW_TRACE_ENABLED',
    help: 'Put spans of its own into each trace (W3C trace context)',
  },
  'metrics-enabled': {
    kind: 'switch',
    env: 'STEPFLOW_METRICS_ENABLED',
    help: 'Send all metrics to --otlp-endpoint every 10 s as well; they can be scraped in any case',
  },
  'otlp-endpoint': {
    kind: 'text',
    default: null,
    env: 'STEPFLOW_OTLP_ENDPOINT',
    help: 'OTLP/HTTP collector, e.g. http://127.0.0.1:4318, for spans (without it they go into the log), metrics and log',
  },
} as const satisfies Flags

/** What the flags come to. */
export interface Telemetry {
  readonly log: LogOptions
  /** Null: no spans. */
  readonly trace: TraceSettings | null
  /** Null: metrics are only scraped. */
  readonly metricsTo: Collector | null
}

/**
 * Reads the flags' values and checks them together: what is sent to a collector needs one. `service` is the program's
 * name there.
 * @throws GauntletErrors naming every bad flag at once (ERR_FLAG_VALUE)
 */
export function readTelemetry(
  program: string,
  service: string,
  flags: FlagValues<typeof telemetryFlags>,
): Telemetry {
  const endpoint = flags['otlp-endpoint']
  const toCollector = flags['log-destination'] === 'otlp'
  const problems: GauntletError[] = []
  const bad = (field: string, value: unknown, message: string): void => {
    const fix = 'set --otlp-endpoint to the URL of an OTLP/HTTP collector, e.g. http://127.0.0.1:4318'
    problems.push(new GauntletError('ERR_FLAG_VALUE', message, { field, value, fix }))
  }
  if (endpoint !== null && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    bad('--otlp-endpoint', endpoint, `got ${endpoint}, which is no http or https URL`)
  }
  if (endpoint === null && flags['metrics-enabled']) bad('--metrics-enabled', true, 'needs a collector')
  if (endpoint === null && toCollector) bad('--log-destination', 'otlp', 'needs a collector')
  const [first, ...rest] = problems
  if (first !== undefined) throw rest.length === 0 ? first : new GauntletErrors([first, ...rest])
  const collector = endpoint === null ? null : { endpoint, service }
  return {
    log: {
      program,
      level: flags['log-level'],
      format: flags['log-format'],
      destination: flags['log-destination'],
      file: flags['log-file'],
      collector,
    },
    trace: flags['trace-enabled'] ? { collector } : null,
    metricsTo: flags['metrics-enabled'] ? collector : null,
  }
}

/** Time that the last spans and metrics have at a program's end, ms. */
const lastSendMs = 1_500

/** The way of spans and metrics to the collector, of one thread. */
export interface Sender {
  /** Null: no spans are wanted. */
  readonly spans: SpanExporter | null
  /** From now on sends all metrics every 10 s, where that is wanted. */
  sendMetrics(registry: Registry): void
  /** Sends what waits, and the metrics once more, as far as the collector takes them at once. */
  close(): Promise<void>
}

export function openSender({ trace, metricsTo }: Telemetry, log: Log): Sender {
  const spans = trace === null ? null : openSpans(trace, log)
  let endMetrics: (() => Promise<void>) | null = null
  return {
    spans,
    sendMetrics(registry) {
      if (metricsTo !== null) endMetrics = exportMetrics(registry, metricsTo, log)
    },
    async close() {
      spans?.close()
      const sent = Promise.all([spans?.flush(), endMetrics?.()]).then(() => true)
      // A collector that is silent must not make of a graceful end one that ran out of time.
      const late = delay(lastSendMs, false, { ref: false })
      if (!(await Promise.race([sent, late])))
        log.warn({}, 'the collector does not take the last spans and metrics')
    },
  }
}
