// The Cluster of Kubernetes, as scenarios use it: asks the API server and the pods' agents.

import type { V2HorizontalPodAutoscaler } from '@kubernetes/client-node'
import type { Placement, TriedFlows } from '../../../contracts/asked.ts'
import {
  type AutoscaleOptions,
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
import type { Kubectl } from '../../deploy/kubectl.ts'
import { assertReplicas } from '../local/local-cluster.ts'
import { type KnownPod, type PodTable, settled } from '../local/pod-table.ts'
import type { AgentLink, Signal } from './agent-link.ts'
import type { KubernetesApi, WorkloadKind } from './api.ts'
import { tryFlows } from './flows.ts'
import { KubernetesLinks, type LinkedPod } from './links.ts'
import { realPlacements, tryPlacements } from './placement.ts'
import type { SeenPod } from './pod-of.ts'
import type { Forwards } from './reach.ts'
import { imageOf, readTemplates } from './templates.ts'

/** What start.ts found out about a role. */
export interface RoleFacts {
  readonly kind: WorkloadKind
  /** Replicas before the harness came, to be restored when it goes. */
  readonly replicas: number
  /** `host:port` of its Service; null where it has no address of its own. */
  readonly service: string | null
}

export interface KubernetesClusterOptions {
  readonly api: KubernetesApi
  readonly table: PodTable
  readonly agents: ReadonlyMap<string, AgentLink>
  readonly seen: ReadonlyMap<string, SeenPod>
  readonly roles: Readonly<Record<Role, RoleFacts>>
  /** Null: pods are reached directly. */
  readonly forwards: Forwards | null
  readonly description: Readonly<Record<string, string>>
  /** For what is asked beyond the driver's own calls, by the account of the kubeconfig. */
  readonly kubectl: Kubectl
  /** Logs of pods that are gone, by name. */
  readonly lastLogs: ReadonlyMap<string, Promise<string>>
  /** Ends the watch. */
  readonly close: () => Promise<void>
}

/** Kubernetes schedules, pulls and probes: more than a local cluster's 30 s. */
const defaultTimeoutMs = 120_000
/** The kubelet's, where neither the caller nor the pod says otherwise, is 30 s. */
const longestGraceMs = 150_000

export class KubernetesCluster implements Cluster {
  readonly kind = 'kubernetes'
  readonly description: Readonly<Record<string, string>>
  readonly #options: KubernetesClusterOptions
  readonly #replicas: Record<Role, number>
  readonly #frozen = new Set<string>()
  readonly #autoscalers = new Set<string>()
  readonly #links: KubernetesLinks
  #stopping: Promise<void> | null = null

  constructor(options: KubernetesClusterOptions) {
    this.#options = options
    this.#links = new KubernetesLinks({
      pods: () => this.#linkedPods(),
      entrance: (name) => this.#entrance(name),
    })
    options.table.watch(({ pod }) => {
      const linked = this.#linkedPods().find(({ name }) => name === pod.name)
      if (linked !== undefined) this.#links.podCame(linked)
    })
    this.description = options.description
    this.#replicas = {
      runtime: options.roles.runtime.replicas,
      balancer: options.roles.balancer.replicas,
      'component-server': options.roles['component-server'].replicas,
    }
  }

  /** Network faults, where the deployment has a proxy in front of the pods. */
  get hooks(): ClusterHooks {
    return this.#links.roles.length === 0 ? {} : { links: this.#links }
  }

  async pods(role: Role): Promise<readonly Pod[]> {
    return this.#options.table.of(role).map(({ pod }) => pod)
  }

  async allPods(): Promise<readonly Pod[]> {
    return this.#options.table.all().map(({ pod }) => pod)
  }

  watch(listener: (event: PodEvent) => void): () => void {
    return this.#options.table.watch(listener)
  }

  async scale(role: Role, replicas: number): Promise<void> {
    assertReplicas(role, replicas)
    await this.#options.api.scale(this.#options.roles[role].kind, appNames[role], replicas)
    this.#replicas[role] = replicas
  }

  async waitReady(
    role: Role,
    options: WaitOptions & { readonly replicas?: number } = {},
  ): Promise<readonly Pod[]> {
    const wanted = (): number => options.replicas ?? this.#replicas[role]
    const { table } = this.#options
    const known = await table.wait(
      () => settled(table.of(role), wanted()),
      () => `${wanted()} ready pods of ${role}, found ${table.describe(role)}`,
      { timeoutMs: defaultTimeoutMs, ...options },
    )
    for (const { pod } of known) await this.#openForwards(pod)
    return known.map(({ pod }) => pod)
  }

  /**
   * A grace period of 0 is a SIGKILL by the pod's agent and then the deletion: the API server's own deletion without
   * grace leaves the program running for a while (kubernetes#119276).
   */
  async deletePod(name: string, options: DeleteOptions = {}): Promise<void> {
    const { pod } = this.#known(name)
    const { gracePeriodSeconds } = options
    const { api, table, agents } = this.#options
    if (gracePeriodSeconds === 0) {
      const bytes = await this.#agent(name).signal('SIGKILL')
      await api.deletePod(name, 1)
      await agents.get(name)?.received(bytes)
      return
    }
    await api.deletePod(name, gracePeriodSeconds)
    await table.wait(
      () => table.find(name)?.gone || undefined,
      () => `the end of ${pod.name}, found ${table.describe(pod.role)}`,
      { timeoutMs: longestGraceMs },
    )
  }

  /**
   * Asks for an eviction, as a drain does.
   * @returns false where a PodDisruptionBudget does not allow it now
   */
  evictPod(name: string): Promise<boolean> {
    this.#known(name)
    return this.#options.api.evictPod(name)
  }

  /**
   * Evicts every pod of a role, as `kubectl drain` does: each as soon as the PodDisruptionBudget allows it.
   * Resolves when all of them are gone and replaced.
   * @returns how many evictions were refused on the way
   */
  async drain(role: Role, options: WaitOptions = {}): Promise<{ readonly refused: number }> {
    const { table } = this.#options
    const { timeoutMs = 3 * defaultTimeoutMs, signal } = options
    const deadline = performance.now() + timeoutMs
    const pods = await this.pods(role)
    let refused = 0
    for (const { name } of pods) {
      while (!(await this.evictPod(name))) {
        refused++
        signal?.throwIfAborted()
        if (performance.now() > deadline) {
          throw new GauntletError('ERR_TIMEOUT', `cannot be evicted in ${timeoutMs} ms`, { field: name })
        }
        // A refusal ends when another pod becomes ready; without one, kubectl too asks again after a while.
        await table
          .wait(
            () => undefined,
            () => 'another try',
            { timeoutMs: 250 },
          )
          .catch(() => undefined)
      }
    }
    const names = new Set(pods.map(({ name }) => name))
    await table.wait(
      () => {
        const known = table.of(role)
        if (known.some(({ pod }) => names.has(pod.name))) return undefined
        return settled(known, this.#replicas[role])
      },
      () => `replacements of all pods of ${role}, found ${table.describe(role)}`,
      { timeoutMs: Math.max(1, deadline - performance.now()), ...(signal === undefined ? {} : { signal }) },
    )
    return { refused }
  }

  async signalPod(name: string, signal: Signal): Promise<void> {
    this.#known(name)
    await this.#agent(name).signal(signal)
    if (signal === 'SIGSTOP') this.#frozen.add(name)
    if (signal === 'SIGCONT') this.#frozen.delete(name)
  }

  async rolloutRestart(role: Role, options: WaitOptions = {}): Promise<void> {
    const { table, api, roles } = this.#options
    const before = new Set(table.of(role).map(({ status }) => status.revision))
    await api.restart(roles[role].kind, appNames[role], new Date().toISOString())
    await table.wait(
      () => {
        const known = table.of(role)
        if (known.some(({ status }) => before.has(status.revision))) return undefined
        return settled(known, this.#replicas[role])
      },
      () => `only ready pods of a new revision of ${role}, found ${table.describe(role)}`,
      { timeoutMs: 3 * defaultTimeoutMs, ...options },
    )
  }

  /** By CPU of the program's container alone: the agent beside it has a load of its own. */
  async autoscale(role: Role, options: AutoscaleOptions): Promise<AsyncDisposable> {
    const { api, roles } = this.#options
    const name = autoscalerName(role)
    await api.createAutoscaler(autoscalerOf(name, roles[role].kind, role, options))
    this.#autoscalers.add(name)
    return {
      [Symbol.asyncDispose]: async () => {
        await api.deleteAutoscaler(name)
        this.#autoscalers.delete(name)
      },
    }
  }

  async tryFlows({ signal }: Pick<WaitOptions, 'signal'> = {}): Promise<TriedFlows> {
    const { kubectl, api } = this.#options
    const templates = await readTemplates(kubectl, api.namespace)
    const image = imageOf(templates['component-server'])
    return tryFlows({ kubectl, image, ...(signal === undefined ? {} : { signal }) })
  }

  async tryPlacements({ signal }: Pick<WaitOptions, 'signal'> = {}): Promise<readonly Placement[]> {
    const { kubectl, api } = this.#options
    const templates = await readTemplates(kubectl, api.namespace)
    const pretended = await tryPlacements({
      ...{ kubectl, templates },
      ...(signal === undefined ? {} : { signal }),
    })
    return [...pretended, ...(await realPlacements(kubectl, api.namespace))]
  }

  async logs(podName: string): Promise<string> {
    const { pod, gone } = this.#known(podName)
    const kept = this.#options.lastLogs.get(podName)
    if (gone || kept !== undefined) return (await kept) ?? ''
    return readLogs(this.#options.api, pod)
  }

  async history(podName: string): Promise<string> {
    const { gone, pod } = this.#known(podName)
    const agent = this.#options.agents.get(podName)
    if (agent === undefined) return ''
    if (!gone && pod.phase === 'Running') await agent.catchUp()
    return agent.text
  }

  async serviceUrl(role: Role): Promise<string> {
    const { service } = this.#options.roles[role]
    if (service !== null && this.#options.forwards === null) return `http://${service}`
    if (service === null) {
      throw new GauntletError(
        'ERR_CLUSTER',
        `the Service ${appNames[role]} is headless, so it has no address`,
        { field: role, fix: 'use resolve or podUrl' },
      )
    }
    const [pod] = (await this.pods(role)).filter(({ ready }) => ready)
    if (pod === undefined) {
      throw new GauntletError('ERR_CLUSTER', 'it has no ready pod to forward a port to', { field: role })
    }
    await this.#openForwards(pod)
    return this.podUrl(pod)
  }

  podUrl(pod: Pod): string {
    return `http://${this.#endpoint(pod, pod.port)}`
  }

  podAdminUrl(pod: Pod): string {
    return `http://${this.#endpoint(pod, pod.adminPort)}`
  }

  /** By the EndpointSlices that the cluster's DNS answers from. */
  async resolve(serviceName: string): Promise<readonly string[]> {
    const [service = ''] = serviceName.split('.')
    const slices = await this.#options.api.listEndpoints(service)
    const found = slices.flatMap(({ endpoints, ports }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses }) => addresses.map((address) => `${address}:${ports?.[0]?.port}`)),
    )
    return [...new Set(found)].sort()
  }

  /** Thaws what is frozen, restores the numbers of replicas, and lets go: the system itself stays deployed. */
  stop(): Promise<void> {
    this.#stopping ??= this.#letGo()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #letGo(): Promise<void> {
    const { api, roles, table } = this.#options
    const thawed = [...this.#frozen].map((name) => this.#options.agents.get(name)?.signal('SIGCONT'))
    await Promise.allSettled([...this.#autoscalers].map((name) => api.deleteAutoscaler(name)))
    const restored = (Object.keys(roles) as Role[])
      .filter((role) => this.#replicas[role] !== roles[role].replicas)
      .map((role) => api.scale(roles[role].kind, appNames[role], roles[role].replicas))
    await Promise.allSettled([...thawed, ...restored])
    await this.#options.close()
    table.fail(new GauntletError('ERR_CLUSTER', 'the cluster was let go'))
  }

  #known(name: string): KnownPod {
    const known = this.#options.table.find(name)
    if (known !== undefined) return known
    throw new GauntletError('ERR_CLUSTER', 'no such pod since the start', {
      field: name,
      value: name,
      fix: 'take a name from pods() or allPods()',
    })
  }

  #agent(name: string): AgentLink {
    const agent = this.#options.agents.get(name)
    if (agent !== undefined) return agent
    throw new GauntletError('ERR_CLUSTER', 'has no agent that runs', {
      field: name,
      fix: 'deploy with the component k8s/components/agent',
    })
  }

  /** Those whose agent runs and is a proxy. */
  #linkedPods(): readonly LinkedPod[] {
    const { table, seen, agents } = this.#options
    return table.all().flatMap(({ pod: { name, role }, gone }) => {
      const agent = agents.get(name)
      if (gone || agent === undefined || seen.get(name)?.linked !== true) return []
      return [{ name, role, link: (what, body) => agent.link(what, body) }]
    })
  }

  /** Null too while no port is forwarded to it. */
  #entrance(name: string): string | null {
    const known = this.#options.table.find(name)
    if (known === undefined || known.gone || known.pod.address === '') return null
    try {
      return this.#endpoint(known.pod, known.pod.port)
    } catch {
      return null
    }
  }

  #endpoint(pod: Pod, port: number): string {
    return this.#options.forwards?.at(pod.name, port) ?? `${pod.address}:${port}`
  }

  async #openForwards(pod: Pod): Promise<void> {
    const { forwards } = this.#options
    if (forwards === null) return
    await Promise.all([pod.port, pod.adminPort].map((port) => forwards.open(pod.name, port)))
  }
}

/** Of an autoscaler that this driver made: one left by a harness that was killed is known by it. */
export function autoscalerName(role: Role): string {
  return `stepflow-harness-${appNames[role]}`
}

function autoscalerOf(
  name: string,
  kind: WorkloadKind,
  role: Role,
  { min, max, cpuPercent, settleSeconds }: AutoscaleOptions,
): V2HorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind, name: appNames[role] },
      minReplicas: min,
      maxReplicas: max,
      metrics: [
        {
          type: 'ContainerResource',
          containerResource: {
            name: 'cpu',
            container: appNames[role],
            target: { type: 'Utilization', averageUtilization: cpuPercent },
          },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: settleSeconds } },
    },
  }
}

/** The program's log, before its last restart and since. */
export async function readLogs(api: KubernetesApi, pod: Pod): Promise<string> {
  const container = appNames[pod.role]
  const earlier = pod.restarts > 0 ? await api.readLog(pod.name, container, true) : null
  return `${earlier ?? ''}${(await api.readLog(pod.name, container, false)) ?? ''}`
}
