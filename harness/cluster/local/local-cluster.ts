// The Cluster of local processes, as scenarios use it: asks the node agent, reads the pods' files.

import { Resolver } from 'node:dns/promises'
import {
  appNames,
  type Cluster,
  type DeleteOptions,
  type Pod,
  type PodEvent,
  type Role,
  type WaitOptions,
} from '../../../contracts/cluster.ts'
import { GauntletError } from '../../../contracts/errors.ts'
import type { ClusterHooks } from '../../../contracts/hooks.ts'
import type { AgentLink } from './agent-link.ts'
import { localHooks } from './hooks.ts'
import { clusterDomain, namespace } from './names.ts'
import { readHistory, readLog, scratchDirectory } from './pod-files.ts'
import { type KnownPod, type PodTable, settled } from './pod-table.ts'
import type { Booted, BootPlan } from './protocol.ts'

const mostReplicas = 1_000
export class LocalCluster implements Cluster {
  readonly kind = 'local'
  readonly description: Readonly<Record<string, string>>
  readonly scratchDirectory: string
  readonly hooks: ClusterHooks
  readonly #link: AgentLink
  readonly #table: PodTable
  readonly #booted: Booted
  readonly #replicas: Record<Role, number>
  readonly #keepsDirectory: boolean

  constructor(link: AgentLink, table: PodTable, plan: BootPlan, booted: Booted) {
    this.#link = link
    this.#table = table
    this.#booted = booted
    this.scratchDirectory = scratchDirectory(booted.directory)
    this.#replicas = { ...plan.replicas }
    this.#keepsDirectory = plan.directory !== null
    this.hooks = localHooks(link, table, booted, plan.links)
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
    const before = new Set(this.#table.of(role).map(({ status }) => status.revision))
    const revision = await this.#link.request({ kind: 'rollout', role })
    await this.#table.wait(
      () => {
        const known = this.#table.of(role)
        // A later rollout may have overtaken this one.
        if (known.some(({ status }) => before.has(status.revision))) return undefined
        return settled(known, this.#replicas[role])
      },
      () =>
        `only ready pods of revision ${revision} or later of ${role}, found ${this.#table.describe(role)}`,
      options,
    )
  }

  async logs(podName: string): Promise<string> {
    return this.#read(podName, readLog)
  }

  async history(podName: string): Promise<string> {
    return this.#read(podName, readHistory)
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
  async #read(podName: string, read: typeof readLog): Promise<string> {
    this.#known(podName)
    if (!this.#keepsDirectory) this.#assertRuns()
    return read(this.#booted.directory, podName)
  }
}

/** @throws GauntletError ERR_CLUSTER */
export function assertReplicas(role: Role, replicas: number): void {
  if (Number.isInteger(replicas) && replicas >= 0 && replicas <= mostReplicas) return
  throw new GauntletError('ERR_CLUSTER', `got ${replicas} replicas`, {
    field: role,
    value: replicas,
    fix: `use 0 to ${mostReplicas}`,
  })
}

function qualified(serviceName: string): string {
  const name = serviceName.replace(/\.$/, '')
  return name.includes('.') ? name : `${name}.${namespace}.svc.${clusterDomain}`
}
