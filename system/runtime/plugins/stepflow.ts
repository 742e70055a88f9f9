// The stepflow plugin: components behind an HTTP URL, called by JSON-RPC with callbacks on event streams.

import type { HistoryWriter } from '../../program/history.ts'
import type { Log } from '../../program/log.ts'
import type { Resolve } from '../../program/resolve.ts'
import type { SpanExporter } from '../../program/spans.ts'
import { elements, type Json, kindOf, member, unquote } from '../../wire/json.ts'
import { createHttpClient } from '../http/client.ts'
import type { RuntimeMetrics } from '../metrics.ts'
import type { CallTimeouts, ComponentInfo, Plugin } from './plugin.ts'
import { type CallbackHandler, callComponent } from './stepflow/call.ts'
import { exchange } from './stepflow/exchange.ts'
import { shakeHands } from './stepflow/handshake.ts'

export interface StepflowPluginOptions {
  readonly name: string
  readonly url: URL
  readonly resolve: Resolve
  readonly callbacks: CallbackHandler
  readonly history: HistoryWriter
  readonly metrics: RuntimeMetrics
  /** Null: no spans are recorded. */
  readonly spans: SpanExporter | null
  readonly log: Log
  /** ms in which the first handshake must succeed. */
  readonly startTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly timeouts: CallTimeouts
  readonly maxMessageBytes: number
}

/** Milliseconds the listing of components may take. */
const listTimeoutMs = 10_000

export function createStepflowPlugin(options: StepflowPluginOptions): Plugin {
  const client = createHttpClient(options)
  const url = options.url.href
  const parts = { ...options, client, url }
  return {
    remote: true,
    start: (signal) =>
      shakeHands(client, {
        plugin: options.name,
        url,
        withinMs: options.startTimeoutMs,
        log: options.log,
        signal,
      }),
    execute: (call) => callComponent(call, parts),
    async components() {
      const result = await exchange(client, 'components/list', '{}' as Json, listTimeoutMs)
      return elements(member(result, 'components') ?? ('[]' as Json)).flatMap(readInfo)
    },
    close: async () => client.close(),
  }
}

function readInfo(json: Json): ComponentInfo[] {
  const component = member(json, 'component')
  if (component === undefined || kindOf(component) !== 'string') return []
  const description = member(json, 'description')
  const inputSchema = member(json, 'input_schema')
  const outputSchema = member(json, 'output_schema')
  return [
    {
      component: unquote(component),
      ...(description !== undefined && kindOf(description) === 'string'
        ? { description: unquote(description) }
        : {}),
      ...(inputSchema === undefined || inputSchema === 'null' ? {} : { inputSchema }),
      ...(outputSchema === undefined || outputSchema === 'null' ? {} : { outputSchema }),
    },
  ]
}
