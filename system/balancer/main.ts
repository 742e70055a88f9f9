// The balancer's command line. The way of a request: accept.ts reads it from its connection with head/ and
// body.ts; pods.ts and pick.ts (for a request with an instance id: its holder) say which pod has it; relay.ts
// sends it there through upstream.ts and the answer back. discovery/ finds pods, probes them and knows who
// holds which instance. loop.ts puts one event loop together, threads.ts several, balancer.ts everything.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { hostname } from 'node:os'
import type { Registry } from 'prom-client'
import { listen, startAdmin } from '../program/admin.ts'
import { helpText, parseAddress, parseFlags } from '../program/flags.ts'
import { openHistory } from '../program/history.ts'
import { openLog, sayHowToOpenUp } from '../program/log.ts'
import { outgoing } from '../program/outgoing.ts'
import { onShutdown, runMain } from '../program/shutdown.ts'
import { openSender, readTelemetry } from '../program/telemetry.ts'
import { createAdminApi } from './admin-api.ts'
import { type BalancerOptions, onePool, startBalancer } from './balancer.ts'
import { emptyConfig, readConfig } from './config.ts'
import { inClusterApi } from './discovery/endpoint-slices.ts'
import { parseNames } from './discovery/names.ts'
import { createPodResolve } from './discovery/resolve-pods.ts'
import { connectionsAllowed } from './limits.ts'
import { addProcessMetrics } from './process-metrics.ts'
import { balancerFlags, balancerNotes } from './settings.ts'
import { readTls, watchFiles } from './tls.ts'

runMain(async () => {
  const flags = parseFlags(balancerFlags, process.argv.slice(2))
  if (flags === 'help') {
    process.stdout.write(
      helpText(
        'npm run balancer -- [flags]',
        'Balances requests over the component servers behind a name and keeps callbacks with their pod.',
        balancerFlags,
        balancerNotes,
      ),
    )
    return
  }
  const telemetry = readTelemetry('balancer', 'stepflow-load-balancer', flags)
  const log = openLog(telemetry.log)
  const pod = process.env['POD_NAME'] ?? hostname()
  const historyFile = process.env['HISTORY_FILE'] ?? ''
  // Threads append to the history beside this one, so none of it may wait to find its place.
  const historyBuffer = flags.threads === 1 ? process.env['HISTORY_BUFFER'] : ''
  const history = openHistory({ witness: 'balancer', pod }, historyFile, historyBuffer)
  const procLimits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const names = parseNames(flags['upstream-service'])
  const affinityService = flags['upstream-affinity-service']
  const affinity = affinityService === null ? [] : parseNames(affinityService, '--upstream-affinity-service')
  const clientFiles = { cert: flags['tls-cert'], key: flags['tls-key'], ca: flags['tls-client-ca'] }
  const podFiles = { cert: flags['upstream-cert'], key: flags['upstream-key'], ca: flags['upstream-ca'] }
  /** What the configuration file may change: read at the start, and again at each reload. */
  const readSettings = async (): Promise<
    Pick<BalancerOptions, 'pools' | 'rules' | 'accessLogEvery' | 'limits' | 'tls'>
  > => {
    const config = flags.config === null ? emptyConfig : await readConfig(flags.config)
    return {
      pools: { ...onePool(names), ...config.pools },
      rules: config.rules,
      tls: {
        clients: clientFiles.cert === null ? null : await readTls(clientFiles, '--tls-cert'),
        pods:
          podFiles.ca === null
            ? null
            : { ...(await readTls(podFiles, '--upstream-ca')), serverName: flags['upstream-server-name'] },
      },
      accessLogEvery: config.accessLogEvery ?? flags['access-log-every'],
      limits: {
        maxBodyBytes: flags['max-body-bytes'],
        drainIdleMs: flags['drain-idle-ms'],
        heartbeatMs: flags['heartbeat-ms'],
        streamIdleMs: flags['stream-idle-ms'],
        slowStartMs: flags['slow-start-ms'],
        maxConnections: connectionsAllowed(procLimits, flags.threads),
        ...config.limits,
      },
    }
  }
  const bind = parseAddress(flags['bind-address'])!
  const balancer = await startBalancer({
    ...(await readSettings()),
    affinity,
    bind,
    kubernetes: flags.discovery === 'auto' ? await inClusterApi() : null,
    resolve: createPodResolve({ server: process.env['STEPFLOW_DNS'] }),
    log,
    history,
    pod,
    threads: flags.threads,
    threadFiles: { log: telemetry.log, historyFile },
    trace: telemetry.trace,
  })
  addProcessMetrics(balancer.registry)
  // Spans are its loops' to send: each thread has its own.
  const sender = openSender({ ...telemetry, trace: null }, log)
  sender.sendMetrics(balancer.registry)
  const reload = async (): Promise<void> => {
    balancer.reload(await readSettings())
    log.info({ config: flags.config }, 'reloaded')
  }
  const tlsFiles = [...Object.values(clientFiles), ...Object.values(podFiles)].filter((file) => file !== null)
  if (tlsFiles.length > 0) watchFiles(tlsFiles, reload, log)
  process.on('SIGHUP', () => {
    reload().catch((error: unknown) => {
      log.error(
        { error: error instanceof Error ? error.message : String(error) },
        'not reloaded, the old settings stay',
      )
    })
  })
  const admin = await startAdmin({
    address: flags['admin-address'],
    registry: balancer.registry,
    notReady: () => balancer.notReady(),
    ...createAdminApi(balancer, reload),
  })
  if (flags['metrics-address'] !== flags['admin-address']) {
    await startMetrics(flags['metrics-address'], balancer.registry)
  }
  process.stdout.write(`${JSON.stringify({ port: balancer.port })}\n`)
  log.info(
    { address: balancer.address, admin: admin.address, upstream: flags['upstream-service'] },
    'listening',
  )
  sayHowToOpenUp(log, bind.host, `--bind-address 0.0.0.0:${bind.port}`)

  const delayMs = flags['drain-delay-ms']
  onShutdown(log, delayMs + flags['shutdown-deadline-ms'], async (signal) => {
    if (history.enabled) history.record({ kind: 'process.stopping', reason: signal })
    balancer.announceDrain()
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    await balancer.drain()
    await sender.close()
    balancer.close()
    await admin.close()
    history.close()
  })
})

/** The original's metrics listener: Prometheus text on any path. */
async function startMetrics(address: string, registry: Registry): Promise<void> {
  const server = createServer((_request, response) => {
    outgoing.beforeFigures?.()
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    )
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 5_000
  const at = parseAddress(address)!
  await listen(server, at.host, at.port, '--metrics-address')
}
