// The Cluster of local processes, as scenarios use it: asks the node agent, reads the pods' files.

import { Resolver } from 'node:dns/promises'
import { readFile, rm } from 'node:fs/promises'
import { isAbsolute, resolve as resolvePath } from 'node:path'
import {
  appNames,
  type Cluster,
  type ClusterOptions,
  type DeleteOptions,
  type Pod,
  type PodEvent,
  type Role,
  type WaitOptions,
} from '../../../contracts/cluster.ts'
import { GauntletError } from '../../../contracts/errors.ts'
import { type AgentLink, startAgent } from './agent-link.ts'
import { signalGroup } from './launch.ts'
import { clusterDomain, namespace } from './names.ts'
import { type KnownPod, PodTable } from './pod-table.ts'
import { podFiles } from './program.ts'
import type { Booted, BootPlan } from './protocol.ts'
import {
  defaultReplicas,
  defaultRuntimeConfig,
  defaultSettings,
  type LocalSettings,
  roles,
} from './settings.ts'

const mostReplicas = 1_000
/** Last lines of a log that an error quotes. */
const quotedLines = 15
const quotedBytes = 4_000

/**
 * Boots runtime, balancers and component servers as processes of this machine and resolves once all are ready.
 * Needs nothing but Node 24; on Linux with util-linux's setpriv not even SIGKILL of every part leaves a trace.
 *
 * The environment variable LOCAL_ADDRESSING=shared puts all pods on 127.0.0.1 as on macOS.
 *
 * @param settings times, programs and addressing; for tests
 * @throws GauntletError ERR_CLUSTER naming the pod that did not start, with the end of its log;
 *   ERR_TIMEOUT; ERR_ENVIRONMENT; the signal's reason
 * @example
 * await using cluster = await startLocalCluster({})
 * const runs = `${await cluster.serviceUrl('runtime')}/api/v1/runs`
 */
export async function startLocalCluster(
  options: ClusterOptions = {},
  settings: Partial<LocalSettings> = {},
): Promise<Cluster> {
  options.signal?.throwIfAborted()
  const plan = bootPlan(options, { ...defaultSettings, ...addressingFromEnv(), ...settings })
  const table = new PodTable()
  let booted: Booted | null = null
  const link = startAgent({
    onPod: ({ event, status }) => table.update(event, status),
    onStatus: ({ name, status }) => table.updateStatus(name, status),
    onLost: (error) => {
      table.fail(error)
      if (booted !== null) cleanUpAfterAgent(booted, table, plan)
    },
  })
  const abort = (): void => void link.stop()
  options.signal?.addEventListener('abort', abort)
  try {
    booted = await link.request({ kind: 'boot', plan })
    await allReady(table, plan, booted, options.signal)
    options.signal?.throwIfAborted()
    return new LocalCluster(link, table, plan, booted)
  } catch (error) {
    await link.stop()
    options.signal?.throwIfAborted()
    throw error
  } finally {
    options.signal?.removeEventListener('abort', abort)
  }
}

class LocalCluster implements Cluster {
  readonly kind = 'local'
  readonly description: Readonly<Record<string, string>>
  readonly #link: AgentLink
  readonly #table: PodTable
  readonly #booted: Booted
  readonly #replicas: Record<Role, number>
  readonly #keepsDirectory: boolean

  constructor(link: AgentLink, table: PodTable, plan: BootPlan, booted: Booted) {
    this.#link = link
    this.#table = table
    this.#booted = booted
    this.#replicas = { ...plan.replicas }
    this.#keepsDirectory = plan.directory !== null
    this.description = {
      node: process.version,
      addressing: booted.addressing,
      dns: booted.dns,
      'pods end with the harness': booted.parentDeathSignal ? 'by the kernel (setpriv)' : 'by the node agent',
    }
  }

  async pods(role: Role): Promise<readonly Pod[]> {
    this.#assertRuns()
    return this.#table.of(role).map(({ pod }) => pod)
  }

  async allPods(): Promise<readonly Pod[]> {
    this.#assertRuns()
    return this.#table.all().map(({ pod }) => pod)
  }

  watch(listener: (event: PodEvent) => void): () => void {
    return this.#table.watch(listener)
  }

  async scale(role: Role, replicas: number): Promise<void> {
    assertReplicas(role, replicas)
    await this.#link.request({ kind: 'scale', role, replicas })
    this.#replicas[role] = replicas
  }

  async waitReady(
    role: Role,
    options: WaitOptions & { readonly replicas?: number } = {},
  ): Promise<readonly Pod[]> {
    this.#assertRuns()
    const wanted = (): number => options.replicas ?? this.#replicas[role]
    const known = await this.#table.wait(
      () => settled(this.#table.of(role), wanted()),
      () => `${wanted()} ready pods of ${role}, found ${this.#table.describe(role)}`,
      options,
    )
    return known.map(({ pod }) => pod)
  }

  async deletePod(name: string, options: DeleteOptions = {}): Promise<void> {
    this.#known(name)
    const { gracePeriodSeconds } = options
    if (gracePeriodSeconds !== undefined && !(gracePeriodSeconds >= 0 && gracePeriodSeconds <= 86_400)) {
      throw new GauntletError('ERR_CLUSTER', `got ${gracePeriodSeconds}`, {
        field: 'gracePeriodSeconds',
        value: gracePeriodSeconds,
        fix: 'use 0 to 86400',
      })
    }
    const gracePeriodMs = gracePeriodSeconds === undefined ? null : gracePeriodSeconds * 1000
    await this.#link.request({ kind: 'delete', name, gracePeriodMs })
  }

  async signalPod(name: string, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#known(name)
    await this.#link.request({ kind: 'signal', name, signal })
  }

  async rolloutRestart(role: Role, options: WaitOptions = {}): Promise<void> {
    const revision = await this.#link.request({ kind: 'rollout', role })
    await this.#table.wait(
      () => {
        const known = this.#table.of(role)
        if (known.some(({ status }) => status.revision !== revision)) return undefined
        return settled(known, this.#replicas[role])
      },
      () => `only ready pods of revision ${revision} of ${role}, found ${this.#table.describe(role)}`,
      options,
    )
  }

  async logs(podName: string): Promise<string> {
    return this.#read(podName, 'logFile')
  }

  async history(podName: string): Promise<string> {
    return this.#read(podName, 'historyFile')
  }

  async serviceUrl(role: Role): Promise<string> {
    this.#assertRuns()
    const address = this.#booted.services[role]
    if (address !== undefined) return `http://${address}`
    throw new GauntletError(
      'ERR_CLUSTER',
      `the Service ${appNames[role]} is headless, so it has no address`,
      {
        field: role,
        fix: 'use resolve or podUrl',
      },
    )
  }

  podUrl(pod: Pod): string {
    return `http://${pod.address}:${pod.port}`
  }

  podAdminUrl(pod: Pod): string {
    return `http://${pod.address}:${pod.adminPort}`
  }

  async resolve(serviceName: string): Promise<readonly string[]> {
    this.#assertRuns()
    const resolver = new Resolver({ timeout: 1_000, tries: 2 })
    resolver.setServers([this.#booted.dns])
    try {
      const services = await resolver.resolveSrv(`_http._tcp.${qualified(serviceName)}`)
      const endpoints = await Promise.all(
        services.map(async ({ name, port }) =>
          (await resolver.resolve4(name)).map((address) => `${address}:${port}`),
        ),
      )
      return [...new Set(endpoints.flat())].sort()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'ENOTFOUND' || code === 'ENODATA') return []
      throw new GauntletError('ERR_CLUSTER', `cannot resolve: ${String(code ?? error)}`, {
        field: serviceName,
        cause: error,
      })
    }
  }

  async stop(): Promise<void> {
    await this.#link.stop()
    this.#table.fail(new GauntletError('ERR_CLUSTER', 'the cluster was stopped'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #assertRuns(): void {
    if (this.#link.ended !== null) throw this.#link.ended
  }

  #known(name: string): KnownPod {
    const known = this.#table.find(name)
    if (known !== undefined) return known
    throw new GauntletError('ERR_CLUSTER', 'no such pod since boot', {
      field: name,
      value: name,
      fix: 'take a name from pods() or allPods()',
    })
  }

  /** Files outlive the cluster where the caller gave the directory. */
  async #read(podName: string, file: 'logFile' | 'historyFile'): Promise<string> {
    this.#known(podName)
    if (!this.#keepsDirectory) this.#assertRuns()
    return readText(podFiles(this.#booted.directory, podName)[file])
  }
}

/** The pods, once exactly `replicas` are ready and no others are left; else undefined. */
function settled(known: readonly KnownPod[], replicas: number): readonly KnownPod[] | undefined {
  return known.length === replicas && known.every(({ pod }) => pod.ready) ? known : undefined
}

async function allReady(
  table: PodTable,
  plan: BootPlan,
  booted: Booted,
  signal: AbortSignal | undefined,
): Promise<void> {
  let broken: KnownPod | undefined
  try {
    await table.wait(
      () => {
        broken = table.all().find(({ status }) => status.lastExit !== null)
        if (broken !== undefined) return true
        return roles.every((role) => settled(table.of(role), plan.replicas[role]) !== undefined) || undefined
      },
      () => `all pods ready, found ${roles.map((role) => table.describe(role)).join('; ')}`,
      { timeoutMs: plan.settings.bootTimeoutMs, ...(signal === undefined ? {} : { signal }) },
    )
  } catch (error) {
    if (!(error instanceof GauntletError && error.code === 'ERR_TIMEOUT')) throw error
    // Runtime waits for balancers and these for component servers: the cause is with the last of the roles.
    const unready = roles.toReversed().flatMap((role) => table.of(role).filter(({ pod }) => !pod.ready))[0]
    throw new GauntletError('ERR_CLUSTER', `the cluster is ${error.message}${await quote(booted, unready)}`, {
      cause: error,
    })
  }
  if (broken === undefined) return
  throw new GauntletError(
    'ERR_CLUSTER',
    `its program ended while starting: ${broken.status.lastExit}${await quote(booted, broken)}`,
    { field: broken.pod.name },
  )
}

/** The end of the pod's log, for an error's text. */
async function quote(booted: Booted, known: KnownPod | undefined): Promise<string> {
  if (known === undefined) return ''
  const text = await readText(podFiles(booted.directory, known.pod.name).logFile)
  const lines = text.trimEnd().slice(-quotedBytes).split('\n').slice(-quotedLines)
  return text === ''
    ? '; its log is empty'
    : `; the end of the log of ${known.pod.name}:\n${lines.join('\n')}\n`
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw new GauntletError('ERR_CLUSTER', `cannot read ${file}`, { cause: error })
  }
}

/** The agent could not: it was killed. Without a parent-death signal its pods may still be there too. */
function cleanUpAfterAgent(booted: Booted, table: PodTable, plan: BootPlan): void {
  for (const { status, gone } of table.all()) {
    if (!gone && status.pid !== null) signalGroup(status.pid, 'SIGKILL')
  }
  if (plan.directory === null) void rm(booted.directory, { recursive: true, force: true, maxRetries: 3 })
}

function bootPlan(options: ClusterOptions, settings: LocalSettings): BootPlan {
  const replicas = { ...defaultReplicas, ...options.replicas }
  for (const role of roles) assertReplicas(role, replicas[role])
  return {
    settings,
    replicas,
    runtimeConfig: options.runtimeConfig ?? defaultRuntimeConfig,
    env: options.env ?? {},
    componentFiles: (options.componentFiles ?? []).map((file) =>
      isAbsolute(file) ? file : resolvePath(file),
    ),
    nodeArgs: options.nodeArgs ?? {},
    directory: options.directory === undefined ? null : resolvePath(options.directory),
  }
}

function assertReplicas(role: Role, replicas: number): void {
  if (Number.isInteger(replicas) && replicas >= 0 && replicas <= mostReplicas) return
  throw new GauntletError('ERR_CLUSTER', `got ${replicas} replicas`, {
    field: role,
    value: replicas,
    fix: `use 0 to ${mostReplicas}`,
  })
}

function addressingFromEnv(): Partial<LocalSettings> {
  const value = process.env['LOCAL_ADDRESSING']
  if (value === undefined || value === '') return {}
  if (value === 'own' || value === 'shared' || value === 'auto') return { addressing: value }
  throw new GauntletError('ERR_ENVIRONMENT', `got ${value}`, {
    field: 'LOCAL_ADDRESSING',
    value,
    fix: 'use own, shared or auto',
  })
}

function qualified(serviceName: string): string {
  const name = serviceName.replace(/\.$/, '')
  return name.includes('.') ? name : `${name}.${namespace}.svc.${clusterDomain}`
}
