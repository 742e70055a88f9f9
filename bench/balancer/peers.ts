// The balancers that are measured side by side: ours, and whichever peers this machine has, set up alike.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { GauntletError } from '../../contracts/errors.ts'

/** Cores: the balancer has one to itself, load and pods share the other. */
export const balancerCore = 0
export const loadCore = 1

export interface Peer {
  readonly name: string
  readonly version: string
  readonly port: number
  /** Every process of it. */
  pids(): readonly number[]
  stop(): Promise<void>
}

/** What a peer balances over. */
export interface Upstream {
  readonly ports: readonly number[]
}

export interface Pods extends Upstream {
  pids(): readonly number[]
  stop(): Promise<void>
}

export interface PeerKind {
  readonly name: string
  /** Null where this machine lacks it. */
  version(): string | null
  start(upstream: Upstream, folder: string): Promise<Peer>
}

const balancerMain = join(import.meta.dirname, '../../system/balancer/main.ts')

/** @param pinned to the balancer's core; without, it may use both, beside the load */
export function ours(name = 'ours', threads = 1, pinned = true): PeerKind {
  return {
    name,
    version: () => `node ${process.versions.node}`,
    async start(upstream, folder) {
      const port = await freePort()
      const args = [
        balancerMain,
        ...['--upstream-service', upstream.ports.map((one) => `127.0.0.1:${one}`).join(',')],
        ...['--bind-address', `127.0.0.1:${port}`, '--admin-address', '127.0.0.1:0'],
        ...['--metrics-address', '127.0.0.1:0', '--log-level', 'error', '--threads', String(threads)],
      ]
      return launch(name, `node ${process.versions.node}`, port, process.execPath, args, folder, pinned)
    },
  }
}

export const nginx: PeerKind = {
  name: 'nginx',
  version: () => versionOf('nginx', ['-v']),
  async start(upstream, folder) {
    const port = await freePort()
    const servers = upstream.ports.map((one) => `server 127.0.0.1:${one};`).join(' ')
    const file = nginxConfig(
      folder,
      'nginx-balancer',
      `upstream pods { least_conn; ${servers} keepalive 512; keepalive_requests 1000000000; }
       server { listen 127.0.0.1:${port} backlog=4096; location / {
         proxy_pass http://pods; proxy_http_version 1.1; proxy_set_header Connection "";
         proxy_set_header Host $host; proxy_set_header X-Forwarded-By stepflow-load-balancer;
         proxy_buffering off; proxy_read_timeout 1h; proxy_next_upstream error non_idempotent; } }`,
    )
    return launch('nginx', versionOf('nginx', ['-v'])!, port, 'nginx', ['-c', file], folder, true)
  },
}

export const haproxy: PeerKind = {
  name: 'haproxy',
  version: () => versionOf('haproxy', ['-v']),
  async start(upstream, folder) {
    const port = await freePort()
    const file = join(folder, 'haproxy.cfg')
    const servers = upstream.ports.map((one, index) => `  server pod${index} 127.0.0.1:${one}`).join('\n')
    writeFileSync(
      file,
      `global\n  nbthread 1\n  maxconn 9900\ndefaults\n  mode http\n  timeout client 1h\n  timeout server 1h\n` +
        `  timeout connect 2s\n  option http-keep-alive\n  http-reuse always\nfrontend in\n  bind 127.0.0.1:${port}\n` +
        `  default_backend pods\nbackend pods\n  balance leastconn\n` +
        `  http-request set-header X-Forwarded-By stepflow-load-balancer\n${servers}\n`,
    )
    return launch('haproxy', versionOf('haproxy', ['-v'])!, port, 'haproxy', ['-f', file], folder, true)
  },
}

export const envoy: PeerKind = {
  name: 'envoy',
  version: () => versionOf('envoy', ['--version']),
  async start(upstream, folder) {
    const port = await freePort()
    const file = join(folder, 'envoy.json')
    const address = (one: number) => ({ socket_address: { address: '127.0.0.1', port_value: one } })
    const cluster = {
      name: 'pods',
      connect_timeout: '2s',
      lb_policy: 'LEAST_REQUEST',
      circuit_breakers: {
        thresholds: [{ max_connections: 20_000, max_requests: 20_000, max_pending_requests: 20_000 }],
      },
      load_assignment: {
        cluster_name: 'pods',
        endpoints: [{ lb_endpoints: upstream.ports.map((one) => ({ endpoint: { address: address(one) } })) }],
      },
    }
    const manager = {
      '@type':
        'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: 'in',
      route_config: {
        virtual_hosts: [
          {
            name: 'all',
            domains: ['*'],
            request_headers_to_add: [{ header: { key: 'X-Forwarded-By', value: 'stepflow-load-balancer' } }],
            routes: [{ match: { prefix: '/' }, route: { cluster: 'pods', timeout: '0s' } }],
          },
        ],
      },
      http_filters: [
        {
          name: 'router',
          typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
        },
      ],
    }
    writeFileSync(
      file,
      JSON.stringify({
        static_resources: {
          listeners: [
            {
              name: 'in',
              address: address(port),
              filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
            },
          ],
          clusters: [cluster],
        },
      }),
    )
    const args = ['-c', file, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart']
    return launch('envoy', versionOf('envoy', ['--version'])!, port, 'envoy', args, folder, true)
  },
}

/** Stepflow's own; it says no version, and finds its pods by a name. */
export const stepflow: PeerKind = {
  name: 'stepflow-load-balancer',
  version: () =>
    spawnSync('stepflow-load-balancer', ['--help']).status === 0 ? 'stepflow-load-balancer' : null,
  async start(upstream, folder) {
    const port = await freePort()
    const args = [
      ...['--upstream-service', `127.0.0.1:${upstream.ports[0]}`, '--bind-address', `127.0.0.1:${port}`],
      ...['--metrics-address', `127.0.0.1:${await freePort()}`],
    ]
    return launch('stepflow-load-balancer', 'unknown', port, 'stepflow-load-balancer', args, folder, true)
  },
}

/** Pods that answer a constant, by nginx, which needs least of the load's core. */
export async function startPods(count: number, folder: string): Promise<Pods> {
  if (nginx.version() === null) {
    throw new GauntletError('ERR_ENVIRONMENT', 'cannot be run', {
      field: 'nginx',
      fix: 'install it, it also is the pods',
    })
  }
  const ports: number[] = []
  for (let pod = 0; pod < count; pod++) ports.push(await freePort())
  const answer =
    '{"id":"01a20a36-b1da-7772-9357-789ca75de702","result":{"output":{"result":10}},"jsonrpc":"2.0"}'
  const file = nginxConfig(
    folder,
    'nginx-pods',
    `server { ${ports.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join(' ')}
       default_type application/json;
       location = /health { return 200 '{"status":"healthy","instanceId":"pod-$server_port"}'; }
       location / { add_header stepflow-instance-id "pod-$server_port"; return 200 '${answer}'; } }`,
  )
  const child = spawnPinned(loadCore, 'nginx', ['-c', file])
  await Promise.all(ports.map((port) => listening(port, child, 'nginx')))
  return { ports, pids: () => family(child.pid!), stop: () => end(child) }
}

function nginxConfig(folder: string, name: string, http: string): string {
  const own = join(folder, name)
  mkdirSync(own, { recursive: true })
  const file = join(own, 'nginx.conf')
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(own, kind)};`,
  )
  writeFileSync(
    file,
    `worker_processes 1; daemon off; master_process off; pid ${join(own, 'pid')}; error_log ${join(own, 'error.log')} crit;
     worker_rlimit_nofile 20000; events { worker_connections 19900; }
     http { access_log off; ${paths.join(' ')} keepalive_requests 1000000000; keepalive_timeout 3600; ${http} }\n`,
  )
  return file
}

async function launch(
  name: string,
  version: string,
  port: number,
  command: string,
  args: readonly string[],
  folder: string,
  pinned: boolean,
): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const child = pinned ? spawnPinned(balancerCore, command, args) : spawn(command, args, { stdio: 'ignore' })
  await listening(port, child, command)
  return { name, version, port, pids: () => family(child.pid!), stop: () => end(child) }
}

export function spawnPinned(
  core: number,
  command: string,
  args: readonly string[],
  stdio: 'ignore' | 'pipe' = 'ignore',
) {
  return spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', stdio, 'ignore'] })
}

/** A process and all its descendants. */
function family(pid: number): readonly number[] {
  const pids = [pid]
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
    for (const child of children.split(' ').filter((text) => text !== '')) pids.push(...family(Number(child)))
  }
  return pids
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function listening(port: number, child: ChildProcess, command: string): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await canConnect(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new GauntletError('ERR_ENVIRONMENT', 'did not listen', {
        field: command,
        fix: 'start it by hand to see why',
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = server.address()
  server.close()
  await once(server, 'close')
  return at !== null && typeof at === 'object' ? at.port : 0
}

function versionOf(command: string, args: readonly string[]): string | null {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) return null
  return /\d+\.\d+(\.\d+)?/.exec(stdout + stderr)?.[0] ?? 'unknown'
}
