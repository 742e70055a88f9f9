// A whole component server in one process: components, calls, callbacks, HTTP, and its graceful end.

import { setTimeout as delay } from 'node:timers/promises'
import type { HistoryWriter } from '../program/history.ts'
import type { Log } from '../program/log.ts'
import type { SpanExporter } from '../program/spans.ts'
import { createCallbacks } from './callbacks.ts'
import { createCalls } from './calls.ts'
import { startHttp } from './http.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import type { Registry } from './registry.ts'

export interface ComponentServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly instanceId: string
  readonly registry: Registry
  readonly history: HistoryWriter
  readonly log: Log
  /** Default null: no spans of calls are recorded. */
  readonly spans?: SpanExporter | null
  /** A longer body is refused with 413. */
  readonly maxBodyBytes: number
  /** A body that takes all that have come in part beyond this is refused with 503. */
  readonly maxHeldBytes: number
  /** Calls beyond this many open ones are refused with 503. */
  readonly maxCalls: number
}

export interface DrainOptions {
  /** How long calls are still taken: until whoever sends them knows that this server goes away. */
  readonly delayMs: number
  /** From the start of the drain; what is open then ends with an error. */
  readonly deadlineMs: number
}

export interface ComponentServer {
  /** `address:port` */
  readonly address: string
  readonly port: number
  readonly metrics: Metrics
  /** Null, or why it takes no work. */
  notReady(): string | null
  /** Ends gracefully: takes calls for the delay, lets open ones end, then closes. */
  drain(options: DrainOptions): Promise<void>
  /** Ends at once. */
  close(): Promise<void>
}

/** @throws GauntletError ERR_LISTEN */
export async function startComponentServer(options: ComponentServerOptions): Promise<ComponentServer> {
  const { host, port, instanceId, registry, history, log, spans = null, maxCalls } = options
  const { maxBodyBytes, maxHeldBytes } = options
  let draining = false
  const metrics = createMetrics({
    callsOpen: () => calls.open,
    streamsOpen: () => calls.streamsOpen,
    callbacksUnanswered: () => callbacks.unanswered,
  })
  const callbacks = createCallbacks({ history, onReply: metrics.replied })
  const calls = createCalls({ registry, callbacks, history, metrics, log, spans, instanceId, maxCalls })
  const http = await startHttp({
    host,
    port,
    maxBodyBytes,
    maxHeldBytes,
    instanceId,
    onPost: calls.receive,
    health: () => ({ status: 200, body: healthBody(instanceId) }),
  })

  return {
    address: http.address,
    port: http.port,
    metrics,
    notReady: () => (draining ? 'draining' : null),
    async drain({ delayMs, deadlineMs }) {
      draining = true
      http.startDraining()
      log.info({ delayMs, deadlineMs, callsOpen: calls.open }, 'draining')
      const deadline = new AbortController()
      const timer = setTimeout(() => deadline.abort(), deadlineMs)
      const passed = new Promise<void>((resolve) => {
        deadline.signal.addEventListener('abort', () => resolve())
      })
      await delay(delayMs, undefined, { signal: deadline.signal }).catch(() => {})
      // Replies to callbacks of open streams come on connections of their own: listen until the last ended.
      await Promise.race([calls.whenIdle(), passed])
      if (calls.open > 0) {
        log.warn({ callsOpen: calls.open }, 'deadline passed, calls end with an error')
        calls.stopAll('component server is stopping')
      }
      const ended = http.stopListening()
      await Promise.race([ended, passed])
      clearTimeout(timer)
      await http.close()
    },
    close: () => http.close(),
  }
}

/** Body of GET /health, as Stepflow's worker has it. */
function healthBody(instanceId: string): string {
  const timestamp = new Date().toISOString()
  return JSON.stringify({
    status: 'healthy',
    instanceId,
    timestamp,
    service: 'stepflow-gauntlet-component-server',
  })
}
