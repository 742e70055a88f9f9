// The command line and environment of a pod's program: what images and manifests say in Kubernetes.

import type { Role } from '../../../contracts/cluster.ts'
import { type Ports, standardPorts } from './addresses.ts'
import { compileCacheEnv, flushFile } from './compile-cache.ts'
import { allSuffix, serviceName } from './names.ts'
import type { PodFiles } from './pod-files.ts'
import type { BootPlan } from './protocol.ts'

export interface ProgramOptions {
  readonly plan: BootPlan
  readonly role: Role
  readonly podName: string
  readonly at: { readonly address: string } & Ports
  /** `address:port` for STEPFLOW_DNS. */
  readonly dns: string
  readonly files: PodFiles
  /** Its TMPDIR. */
  readonly temporaryFolder: string
  readonly runtimeConfigFile: string
  /** The agent's own environment, of which only a few variables pass on. */
  readonly parentEnv: Readonly<Record<string, string | undefined>>
}

/**
 * What a pod gets from the harness's environment: enough to run Node, nothing of the user's, so that a trial
 * does not depend on the shell it was started from. NODE_V8_COVERAGE makes coverage include the pods.
 */
const passedOn = [
  ...['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ'],
  ...['NODE_V8_COVERAGE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'],
]

export function passEnv(parentEnv: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of passedOn) {
    const value = parentEnv[name]
    if (value !== undefined) env[name] = value
  }
  return env
}

/** Arguments for Node and the whole environment of a pod's program. */
export function programOf(options: ProgramOptions): {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
} {
  const { plan, role, at } = options
  const own = roleProgram(options)
  const cache = compileCacheEnv(options.parentEnv)
  const preload = Object.keys(cache).length === 0 ? [] : ['--import', flushFile]
  return {
    args: [...preload, ...(plan.nodeArgs[role] ?? []), plan.settings.programs[role], ...own.args],
    env: {
      ...passEnv(options.parentEnv),
      ...cache,
      TMPDIR: options.temporaryFolder,
      POD_NAME: options.podName,
      POD_IP: at.address,
      STEPFLOW_DNS: options.dns,
      HISTORY_FILE: options.files.historyFile,
      HISTORY_BUFFER: options.files.historyBuffer,
      ...own.env,
      ...plan.env[role],
    },
  }
}

function roleProgram({ plan, role, at, runtimeConfigFile }: ProgramOptions): {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
} {
  const listen = ['--host', at.address, '--port', String(at.port)]
  const admin = `${at.address}:${at.adminPort}`
  switch (role) {
    case 'runtime':
      return { args: [...listen, '--config', runtimeConfigFile, '--admin-address', admin], env: {} }
    case 'balancer': {
      const { port } = standardPorts['component-server']
      return {
        args: [],
        env: {
          UPSTREAM_SERVICE: `${serviceName('component-server')}:${port}`,
          UPSTREAM_AFFINITY_SERVICE: `${serviceName('component-server', allSuffix)}:${port}`,
          BIND_ADDRESS: `${at.address}:${at.port}`,
          METRICS_ADDRESS: `${at.address}:${at.metricsPort}`,
          ADMIN_ADDRESS: admin,
          // The runtime keeps its connections idle for 1 s at most.
          DRAIN_IDLE_MS: '1500',
        },
      }
    }
    case 'component-server':
      return {
        args: [
          ...[...listen, '--admin-address', admin],
          // Its own pause before it drains is for platforms without a preStop; here that has been.
          ...['--drain-delay-ms', '0'],
          ...plan.componentFiles.flatMap((file) => ['--components', file]),
        ],
        env: {},
      }
  }
}
