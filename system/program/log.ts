// Structured logs: one line an event, JSON or text, to stdout, stderr, a file or a collector.

import { openSync, writeSync } from 'node:fs'
import pino from 'pino'
import type { Flags } from './flags.ts'
import { type Collector, exportLines } from './otlp.ts'

/** An event is a short name; facts go into fields that share the history's names (`runId`, `pod`). */
export interface Log {
  debug(fields: object, event: string): void
  info(fields: object, event: string): void
  warn(fields: object, event: string): void
  error(fields: object, event: string): void
  /** Sends what still waits, where lines are sent to a collector. */
  drain?(): Promise<void>
}

/** The log flags; names and values are those of Stepflow 0.9. */
export const logFlags = {
  'log-level': {
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error'],
    default: 'info',
    env: 'STEPFLOW_LOG_LEVEL',
    help: 'Least level that is logged',
  },
  'log-format': {
    kind: 'choice',
    choices: ['json', 'text'],
    default: 'json',
    env: 'STEPFLOW_LOG_FORMAT',
    help: 'One JSON object or one line of text an event',
  },
  'log-destination': {
    kind: 'choice',
    choices: ['stdout', 'stderr', 'file', 'otlp'],
    default: 'stdout',
    env: 'STEPFLOW_LOG_DESTINATION',
    help: 'Where log lines go; otlp: to --otlp-endpoint, and to stderr what it does not take',
  },
  'log-file': {
    kind: 'text',
    default: null,
    env: 'STEPFLOW_LOG_FILE',
    help: 'File for --log-destination file',
  },
} as const satisfies Flags

export interface LogOptions {
  readonly program: string
  readonly level: string
  readonly format: string
  readonly destination: string
  readonly file: string | null
  /** For destination `otlp`. */
  readonly collector: Collector | null
}

/** Opens the log. Lines are written synchronously, so that the last ones before a crash are there. */
export function openLog(options: LogOptions): Log {
  const fd =
    options.destination === 'file'
      ? openSync(options.file ?? `${options.program}.log`, 'a')
      : options.destination === 'stderr' || options.destination === 'otlp'
        ? 2
        : 1
  const write = (line: string): void => {
    try {
      writeSync(fd, line)
    } catch (error) {
      // EAGAIN: the reader of a pipe is slow; EPIPE: it is gone. A log line is not worth a stall or a crash.
      if (!(error instanceof Error && 'code' in error)) throw error
    }
  }
  const exporter =
    options.destination === 'otlp' && options.collector !== null
      ? exportLines(options.collector, write)
      : null
  const stream =
    exporter ?? (options.format === 'text' ? { write: (line: string) => write(textLine(line)) } : { write })
  const log: Omit<Log, 'drain'> = pino(
    {
      level: options.level,
      messageKey: 'event',
      base: { program: options.program },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => stream.write(line) },
  )
  return exporter === null ? log : Object.assign(log, { drain: () => exporter.flush() })
}

/** Says so where a program listens on this machine only, with the flag that opens it up. */
export function sayHowToOpenUp(log: Log, host: string, flag: string): void {
  if (host === '127.0.0.1') log.info({ host }, `reachable from this machine only: open up with ${flag}`)
}

function textLine(line: string): string {
  const { time, level, event, program, ...fields } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(fields).map(([name, value]) =>
    typeof value === 'string' && /^[\w.:/@-]+$/.test(value)
      ? `${name}=${value}`
      : `${name}=${JSON.stringify(value)}`,
  )
  return `${[time, String(level).toUpperCase().padEnd(5), program, event, ...rest].join(' ')}\n`
}
