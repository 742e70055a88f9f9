// The runtime: takes flows and runs over HTTP, and has component servers do the steps.
//
//   main.ts        flags, start, end                     settings.ts  the flags themselves
//   program.ts     the parts put together                config.ts    stepflow-config.yml
//   http/          HTTP on sockets: server, client, and the parser of both
//   api/           HTTP in: server → flows, runs, components, health; openapi shows them all
//   executor/      executor → run → item: which step next (plan, evaluate), how many at once (slots)
//   plugins/       router → builtin, stepflow (handshake, call, reply), launched, mock, mcp
//   builtins/      components inside the runtime, one file each
//   store/         runs and blobs in memory, bounded
//   callbacks.ts   what components ask back on their streams
//
// A run: http/server → api/runs → executor → run → item → slots → plugins/stepflow → call → http/client → and back.

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { GauntletError } from '../../contracts/errors.ts'
import { helpText, parseFlags } from '../program/flags.ts'
import { openHistory } from '../program/history.ts'
import { openLog, sayHowToOpenUp } from '../program/log.ts'
import { createResolve } from '../program/resolve.ts'
import { onShutdown, runMain } from '../program/shutdown.ts'
import { openSender, readTelemetry } from '../program/telemetry.ts'
import { emptyConfig, parseConfig, type RuntimeConfig } from './config.ts'
import { startRuntime } from './program.ts'
import { runtimeFlags } from './settings.ts'

// What a run leaves in the heap dies young, so that a small young generation serves as well as a large one, which
// would take 100 MB more under load; its maximum can no longer be set when a program is under way, its growth can.
setFlagsFromString('--semi-space-growth-factor=1')

runMain(async () => {
  const flags = parseFlags(runtimeFlags, process.argv.slice(2))
  if (flags === 'help') {
    process.stdout.write(
      helpText('npm run runtime -- [flags]', 'Runs flows: the Stepflow runtime.', runtimeFlags, [
        'STEPFLOW_DNS=address:port names the DNS server that URLs of plugins are resolved by.',
      ]),
    )
    return
  }
  const telemetry = readTelemetry('runtime', 'stepflow-server', flags)
  const log = openLog(telemetry.log)
  const sender = openSender(telemetry, log)
  const history = openHistory({ witness: 'runtime', pod: process.env['POD_NAME'] ?? hostname() })
  const config = await readConfig(flags.config, flags['config-stdin'])
  const runtime = await startRuntime({
    config,
    host: flags.host,
    port: flags.port,
    adminAddress: flags['admin-address'],
    pluginStartTimeoutMs: flags['plugin-start-timeout-ms'],
    resolve: createResolve(),
    workingDirectory: config.workingDirectory ?? (flags.config === null ? '.' : dirname(flags.config)),
    limits: {
      activeRuns: flags['max-active-runs'],
      waitingRuns: flags['max-waiting-runs'],
      inputBytes: flags['max-input-bytes'],
      pinnedBlobBytes: flags['max-blobs-bytes'],
      keptRuns: flags['keep-runs'],
      keptRunsAgeMs: flags['keep-runs-ms'],
      keptRunsBytes: flags['keep-runs-bytes'],
      blobBytes: flags['keep-blobs-bytes'],
    },
    history,
    log,
    spans: sender.spans,
    onStopRequested: (stop) =>
      onShutdown(log, flags['shutdown-timeout-ms'], async (signal) => {
        if (history.enabled) history.record({ kind: 'process.stopping', reason: signal })
        await stop()
        await sender.close()
        history.close()
      }),
  })
  sender.sendMetrics(runtime.registry)
  process.stdout.write(`{"port":${runtime.port}}\n`)
  sayHowToOpenUp(log, flags.host, '--host 0.0.0.0')
})

async function readConfig(file: string | null, fromStdin: boolean): Promise<RuntimeConfig> {
  if (file === null && !fromStdin) return emptyConfig
  try {
    // Not readFileSync(0): it fails where a pipe has nothing yet.
    return parseConfig(fromStdin ? await readText(process.stdin) : readFileSync(file ?? '', 'utf8'))
  } catch (error) {
    if (error instanceof GauntletError) throw error
    throw new GauntletError('ERR_CONFIG_READ', `cannot read ${file ?? 'standard input'}`, {
      field: '--config',
      value: file,
      fix: 'name a readable file',
      cause: error,
    })
  }
}
