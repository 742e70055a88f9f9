// Puts the runtime together, starts it in the order of the original, and ends it without losing a run.

import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { type Admin, listen, startAdmin } from '../program/admin.ts'
import type { HistoryWriter } from '../program/history.ts'
import type { Log } from '../program/log.ts'
import type { Resolve } from '../program/resolve.ts'
import type { SpanExporter } from '../program/spans.ts'
import { componentRoutes } from './api/components.ts'
import { flowRoutes } from './api/flows.ts'
import { healthRoutes } from './api/health.ts'
import { withDescription } from './api/openapi.ts'
import { runRoutes } from './api/runs.ts'
import { createApiServer } from './api/server.ts'
import { createCallbacks } from './callbacks.ts'
import type { PluginConfig, RuntimeConfig } from './config.ts'
import { createExecutor, type Executor } from './executor/executor.ts'
import { createMetrics } from './metrics.ts'
import { createBuiltinPlugin } from './plugins/builtin.ts'
import { createLaunchedPlugin } from './plugins/launched.ts'
import { createMcpPlugin } from './plugins/mcp.ts'
import { createMockPlugin } from './plugins/mock.ts'
import type { Plugin } from './plugins/plugin.ts'
import { createRouter } from './plugins/router.ts'
import { defaultMaxMessageBytes } from './plugins/stepflow/answer.ts'
import { createStepflowPlugin } from './plugins/stepflow.ts'
import { createBlobStore } from './store/blobs.ts'
import { createRunStore } from './store/runs.ts'

export interface RuntimeOptions {
  readonly config: RuntimeConfig
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly adminAddress: string
  readonly pluginStartTimeoutMs: number
  readonly resolve: Resolve
  /** Folder that load_file reads below. */
  readonly workingDirectory: string
  readonly limits: RuntimeLimits
  readonly history: HistoryWriter
  readonly log: Log
  /** Null: no spans are recorded. */
  readonly spans: SpanExporter | null
  /** Told, before plugins start, how to end the runtime gracefully. */
  readonly onStopRequested: (stop: () => Promise<void>) => void
}

/** How much the runtime takes on, and how much it remembers. */
export interface RuntimeLimits {
  /** Runs at work at once; more wait. */
  readonly activeRuns: number
  /** Runs that may wait; more are refused with 429. */
  readonly waitingRuns: number
  /** Bytes of the inputs of both. */
  readonly inputBytes: number
  /** Bytes of the blobs that running runs have put. */
  readonly pinnedBlobBytes: number
  /** Runs kept after their end, for how long, and bytes of their inputs and results. */
  readonly keptRuns: number
  readonly keptRunsAgeMs: number
  readonly keptRunsBytes: number
  /** Bytes of blobs and flows. */
  readonly blobBytes: number
}

export interface Runtime {
  readonly port: number
  readonly adminAddress: string
  readonly registry: Registry
}

/** Bytes of a request's body: Stepflow's limit. */
const maxBodyBytes = 2 * 1024 * 1024
/** ms between looks for runs that are too old. */
const sweepMs = 10_000

/**
 * Order: admin listener, plugins (their handshakes), API listener. Resolves when runs are taken.
 * @throws GauntletError ERR_LISTEN, ERR_PLUGIN, ERR_CONFIG_FIELD
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, log, history } = options
  for (const place of config.warnings) log.warn({ place }, 'unknown key in the configuration, ignored')
  const metrics = createMetrics()
  const blobs = createBlobStore({
    maxBytes: options.limits.blobBytes,
    maxPinnedBytes: options.limits.pinnedBlobBytes,
  })
  const runs = createRunStore({
    maxRuns: options.limits.keptRuns,
    maxAgeMs: options.limits.keptRunsAgeMs,
    maxBytes: options.limits.keptRunsBytes,
  })
  const sweeper = setInterval(() => runs.sweep(Date.now()), sweepMs).unref()
  let executor: Executor
  const callbacks = createCallbacks({ blobs, runs, executor: () => executor })

  const connect = (plugin: PluginConfig & { kind: 'stepflow' | 'launched' }, url: URL): Plugin =>
    createStepflowPlugin({
      ...{ name: plugin.name, url, callbacks, history, metrics, log, timeouts: plugin.timeouts },
      resolve: options.resolve,
      spans: options.spans,
      startTimeoutMs: options.pluginStartTimeoutMs,
      connectTimeoutMs: plugin.connectMs,
      maxMessageBytes: defaultMaxMessageBytes,
    })
  const createPlugin = (plugin: PluginConfig): Plugin => {
    switch (plugin.kind) {
      case 'builtin':
        return createBuiltinPlugin({
          blobs,
          submit: (submission) => executor.submit(submission),
          runOf: (id) => runs.atWork(id),
          root: options.workingDirectory,
          env: process.env,
        })
      case 'stepflow':
        return connect(plugin, plugin.url)
      case 'launched':
        return createLaunchedPlugin({
          ...plugin,
          cwd: options.workingDirectory,
          verbose: process.env['STEPFLOW_COMPONENT_STDERR'] === 'verbose',
          log,
          connect: (url) => connect(plugin, url),
        })
      case 'mock':
        return createMockPlugin(plugin.components)
      case 'mcp':
        return createMcpPlugin({ ...plugin, cwd: options.workingDirectory, log })
    }
  }
  const plugins = new Map(config.plugins.map((plugin) => [plugin.name, createPlugin(plugin)]))
  const router = createRouter(config.routes, plugins)
  executor = createExecutor({
    ...{ router, store: runs, history, metrics, spans: options.spans },
    maxActiveRuns: options.limits.activeRuns,
    maxWaitingRuns: options.limits.waitingRuns,
    maxInputChars: options.limits.inputBytes,
    onEnded: (run) => blobs.release(run.id),
  })

  let state: 'starting' | 'ready' | 'stopping' = 'starting'
  const routes = [
    ...healthRoutes(),
    ...componentRoutes({ plugins, router, log }),
    ...flowRoutes(blobs, runs),
    ...runRoutes({ blobs, runs, executor }),
  ]
  const portOf = (): number => (api.server.address() as AddressInfo).port
  const api = createApiServer({
    routes: withDescription(routes, portOf),
    maxBodyBytes,
    refusing: () => (state === 'stopping' ? 'the runtime is stopping' : null),
    onError: (error) => log.error({ error: String(error) }, 'request failed'),
  })
  const admin: Admin = await startAdmin({
    address: options.adminAddress,
    registry: metrics.registry,
    notReady: () => (state === 'ready' ? null : state),
  })
  log.info({ address: admin.address }, 'admin listening')

  const starting = new AbortController()
  options.onStopRequested(async () => {
    state = 'stopping'
    starting.abort()
    clearInterval(sweeper)
    await executor.idle()
    await api.close()
    for (const plugin of plugins.values()) await plugin.close()
    await admin.close()
  })

  try {
    await Promise.all([...plugins.values()].map((plugin) => plugin.start(starting.signal)))
    await listen(api.server, options.host, options.port, '--port')
  } catch (error) {
    // A stop asked for meanwhile ends the process by itself.
    if (starting.signal.aborted) return new Promise(() => {})
    throw error
  }
  state = 'ready'
  const port = portOf()
  log.info({ host: options.host, port, plugins: [...plugins.keys()] }, 'serving')
  return { port, adminAddress: admin.address, registry: metrics.registry }
}
