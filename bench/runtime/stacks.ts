// The two stacks that are measured side by side: our programs, and the real ones behind a balancer of this machine.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GauntletError } from '../../contracts/errors.ts'
import { freePort } from '../balancer/peers.ts'
import { launch, type Program, startOurRuntime, startProgram } from './server.ts'

export interface Stack {
  readonly name: 'ours' | 'real'
  /** What balances, for the table. */
  readonly balancer: string
  readonly runtime: Program
  readonly workers: readonly Program[]
  /** Every process of it. */
  readonly pids: readonly number[]
  stop(): Promise<void>
}

export interface RealParts {
  readonly python: string
  readonly server: string
}

export interface StackOptions {
  /** Component servers; 0: no balancer either, built-ins only. */
  readonly workers: number
  /** For the files of nginx and of the real runtime. */
  readonly folder: string
}

const main = (role: string): string => join(import.meta.dirname, `../../system/${role}/main.ts`)

export async function startOurs({ workers: count }: StackOptions): Promise<Stack> {
  const started: Program[] = []
  try {
    const flags = ['--port', '0', '--admin-address', '127.0.0.1:0', '--log-level', 'error']
    for (let worker = 0; worker < count; worker++) {
      const args = [main('component-server'), ...flags, '--drain-delay-ms', '0']
      started.push(await startProgram(process.execPath, args))
    }
    const workers = [...started]
    const url = count === 0 ? null : await startOurBalancer(workers, started)
    const runtime = await startOurRuntime(configOf(url))
    started.push(runtime)
    return stackOf('ours', count === 0 ? 'none' : 'ours', runtime, workers, started)
  } catch (error) {
    await stopAll(started)
    throw error
  }
}

async function startOurBalancer(workers: readonly Program[], started: Program[]): Promise<string> {
  const port = await freePort()
  const upstream = workers.map((worker) => `127.0.0.1:${worker.port}`).join(',')
  const args = [
    ...[main('balancer'), '--upstream-service', upstream, '--bind-address', `127.0.0.1:${port}`],
    ...['--admin-address', '127.0.0.1:0', '--metrics-address', '127.0.0.1:0', '--log-level', 'error'],
  ]
  started.push(await startListening(process.execPath, args, port))
  return `http://127.0.0.1:${port}`
}

export async function startReal({ python, server }: RealParts, options: StackOptions): Promise<Stack> {
  const { workers: count, folder } = options
  const started: Program[] = []
  try {
    for (let worker = 0; worker < count; worker++) {
      started.push(await startProgram(python, [join(import.meta.dirname, 'worker.py'), '0']))
    }
    const workers = [...started]
    const url = count === 0 ? null : await startPeer(workers, folder, started)
    const config = join(folder, 'real-config.json')
    writeFileSync(config, JSON.stringify(configOf(url)))
    const runtime = await startProgram(server, ['--port', '0', '--config', config, '--log-level', 'error'])
    started.push(runtime)
    return stackOf('real', count === 0 ? 'none' : 'nginx least_conn', runtime, workers, started)
  } catch (error) {
    await stopAll(started)
    throw error
  }
}

/**
 * nginx, also where Stepflow's own balancer is there: that one takes a single DNS name for all pods, and no name of
 * a machine has three loopback addresses unless root gives it some.
 */
async function startPeer(workers: readonly Program[], folder: string, started: Program[]): Promise<string> {
  const port = await freePort()
  const file = writeNginxConfig(await instancesOf(workers), folder, port)
  started.push(await startListening('nginx', ['-c', file], port))
  return `http://127.0.0.1:${port}`
}

interface Instance {
  readonly id: string
  readonly port: number
}

async function instancesOf(workers: readonly Program[]): Promise<Instance[]> {
  return Promise.all(
    workers.map(async ({ port }) => {
      const health = (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { instanceId: string }
      return { id: health.instanceId, port }
    }),
  )
}

/** least_conn for calls; what names an instance goes to that one, without which no callback finds its way. */
function writeNginxConfig(instances: readonly Instance[], folder: string, port: number): string {
  const own = join(folder, 'nginx')
  mkdirSync(own, { recursive: true })
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(own, kind)};`,
  )
  const upstream = (name: string, servers: readonly Instance[]): string =>
    `upstream ${name} { ${servers.length > 1 ? 'least_conn;' : ''} ` +
    `${servers.map((one) => `server 127.0.0.1:${one.port};`).join(' ')} ` +
    'keepalive 512; keepalive_requests 1000000000; }'
  const file = join(own, 'nginx.conf')
  writeFileSync(
    file,
    `worker_processes 1; daemon off; master_process off; pid ${join(own, 'pid')};
     error_log ${join(own, 'error.log')} crit; events { worker_connections 10000; }
     http { access_log off; ${paths.join(' ')} keepalive_requests 1000000000; keepalive_timeout 3600;
       map $http_stepflow_instance_id $pods { default pods; ${instances.map(({ id }, at) => `"${id}" pod${at};`).join(' ')} }
       ${upstream('pods', instances)} ${instances.map((one, at) => upstream(`pod${at}`, [one])).join(' ')}
       server { listen 127.0.0.1:${port} backlog=4096; location / {
         proxy_pass http://$pods; proxy_http_version 1.1; proxy_set_header Connection "";
         proxy_set_header Host $host; proxy_buffering off; proxy_read_timeout 1h; } } }\n`,
  )
  return file
}

/** A program that does not say when it listens. */
async function startListening(command: string, args: readonly string[], port: number): Promise<Program> {
  const program = launch(command, args)
  const deadline = performance.now() + 20_000
  for (;;) {
    const up = await fetch(`http://127.0.0.1:${port}/health`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (up) return { ...program, port }
    // It prints no port: this ends the wait only where the program ends.
    await Promise.race([program.announced, new Promise((resolve) => setTimeout(resolve, 50))])
    if (performance.now() > deadline) {
      await program.stop()
      throw new GauntletError('ERR_ENVIRONMENT', 'did not serve', {
        field: command,
        fix: 'start it by hand to see why',
      })
    }
  }
}

/** The architecture's configuration; built-ins alone where there is no balancer. */
function configOf(url: string | null): object {
  const builtin = {
    plugins: { builtin: { type: 'builtin' } },
    routes: { '/{*component}': [{ plugin: 'builtin' }] },
  }
  if (url === null) return builtin
  return {
    plugins: { ...builtin.plugins, workers: { type: 'stepflow', url } },
    routes: { '/python/{*component}': [{ plugin: 'workers' }], ...builtin.routes },
  }
}

function stackOf(
  name: Stack['name'],
  balancer: string,
  runtime: Program,
  workers: readonly Program[],
  started: readonly Program[],
): Stack {
  return {
    name,
    balancer,
    runtime,
    workers,
    pids: started.map(({ pid }) => pid),
    stop: () => stopAll(started),
  }
}

async function stopAll(programs: readonly Program[]): Promise<void> {
  await Promise.all(programs.toReversed().map((program) => program.stop()))
}
