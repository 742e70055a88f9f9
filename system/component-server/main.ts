// Starts a component server: reads flags, listens, and ends on a signal.
//
// A call's way: http.ts takes the POST, messages.ts reads it, calls.ts runs and answers it; context.ts and
// callbacks.ts are a component's way back to the runtime. components/ has the built-in ones, load.ts fetches
// a user's own; those import sdk.ts and nothing else. server.ts puts it together and drains it.

import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { startAdmin } from '../program/admin.ts'
import { type Flags, helpText, parseFlags } from '../program/flags.ts'
import { openHistory } from '../program/history.ts'
import { openLog, sayHowToOpenUp } from '../program/log.ts'
import { onShutdown, runMain } from '../program/shutdown.ts'
import { openSender, readTelemetry, telemetryFlags } from '../program/telemetry.ts'
import { builtInComponents } from './components/index.ts'
import { checkInstanceId } from './instance-id.ts'
import { loadComponents } from './load.ts'
import { createRegistry } from './registry.ts'
import { startComponentServer } from './server.ts'

const flags = {
  host: { kind: 'text', default: '127.0.0.1', help: 'Address to listen on; 0.0.0.0 opens it to the network' },
  port: { kind: 'whole', default: 8080, min: 0, max: 65535, help: 'Port to listen on; 0 takes a free one' },
  'instance-id': {
    kind: 'text',
    default: null,
    help: 'Stepflow-Instance-Id of this process; default <POD_NAME or host name>-<8 hex digits>',
  },
  components: {
    kind: 'texts',
    help: 'File with components of your own; may come several times. Env COMPONENT_FILES: with commas between',
  },
  'admin-address': {
    kind: 'address',
    default: null,
    env: 'ADMIN_ADDRESS',
    help: 'Address of /livez, /readyz and /metrics; default 127.0.0.1:8081, or a free port with --port 0',
  },
  'max-body-bytes': {
    kind: 'whole',
    default: 64 * 1024 * 1024,
    min: 1024,
    max: 1024 * 1024 * 1024,
    help: 'A longer message is refused with 413',
  },
  'max-held-bytes': {
    kind: 'whole',
    default: 256 * 1024 * 1024,
    min: 1024,
    max: 64 * 1024 ** 3,
    help: 'Memory of messages that have come in part, together, at least --max-body-bytes; more get 503',
  },
  'max-calls': {
    kind: 'whole',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    help: 'Calls open at once; more are refused with 503',
  },
  'drain-delay-ms': {
    kind: 'whole',
    default: 3_000,
    min: 0,
    max: 600_000,
    help: 'After SIGTERM, how long calls are still taken while balancers learn that it goes away',
  },
  'shutdown-deadline-ms': {
    kind: 'whole',
    default: 30_000,
    min: 0,
    max: 3_600_000,
    help: 'After SIGTERM, when streams still open are ended with an error',
  },
  ...telemetryFlags,
  'service-name': {
    kind: 'text',
    default: 'stepflow-component-server',
    env: 'STEPFLOW_SERVICE_NAME',
    help: 'Name of this server at the collector',
  },
  // stdout carries the one line with the port.
  'log-destination': { ...telemetryFlags['log-destination'], default: 'stderr' },
} as const satisfies Flags

/** Time after the deadline in which the last errors are written, ms. */
const lastWordsMs = 2_000

runMain(async () => {
  const values = parseFlags(flags, process.argv.slice(2))
  if (values === 'help') {
    process.stdout.write(
      helpText(
        'npm run component-server -- [flags]',
        'Runs components for a Stepflow runtime: JSON-RPC over HTTP, answers as JSON or as an event stream.',
        flags,
        [
          'It listens on this machine only; --host 0.0.0.0 opens it. Prints {"port": N} on stdout when ready.',
        ],
      ),
    )
    return
  }
  const pod = process.env['POD_NAME'] || hostname()
  const instanceId = checkInstanceId(values['instance-id'] ?? `${pod}-${randomBytes(4).toString('hex')}`)
  const telemetry = readTelemetry('component-server', values['service-name'], values)
  const log = openLog(telemetry.log)
  const sender = openSender(telemetry, log)
  const files =
    values.components.length > 0
      ? values.components
      : (process.env['COMPONENT_FILES'] ?? '').split(',').flatMap((file) => file.trim() || [])
  const registry = createRegistry([
    { from: 'the built-in components', components: builtInComponents },
    ...(await Promise.all(files.map(loadComponents))),
  ])
  const history = openHistory({ witness: 'component-server', pod, instanceId })
  const server = await startComponentServer({
    host: values.host,
    port: values.port,
    instanceId,
    registry,
    history,
    log,
    spans: sender.spans,
    maxBodyBytes: values['max-body-bytes'],
    maxHeldBytes: Math.max(values['max-held-bytes'], values['max-body-bytes']),
    maxCalls: values['max-calls'],
  })
  sender.sendMetrics(server.metrics.registry)
  const admin = await startAdmin({
    // A runtime that launches component servers as its children gives each --port 0, and no admin address.
    address: values['admin-address'] ?? `127.0.0.1:${values.port === 0 ? 0 : 8081}`,
    registry: server.metrics.registry,
    notReady: server.notReady,
  })
  // A promise that a user's component forgot is no reason to take every open stream down.
  process.on('unhandledRejection', (reason) => {
    log.error({ error: reason instanceof Error ? reason.stack : String(reason) }, 'unhandled rejection')
  })
  const deadlineMs = values['shutdown-deadline-ms']
  onShutdown(log, deadlineMs + lastWordsMs, async (signal) => {
    history.record({ kind: 'process.stopping', reason: signal })
    await server.drain({ delayMs: values['drain-delay-ms'], deadlineMs })
    await admin.close()
    await sender.close()
    history.close()
  })
  log.info(
    {
      address: server.address,
      admin: admin.address,
      instanceId,
      components: [...registry.byPath.keys()],
    },
    'listening',
  )
  sayHowToOpenUp(log, values.host, '--host 0.0.0.0')
  process.stdout.write(`{"port": ${server.port}}\n`)
})
