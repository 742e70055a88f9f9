// The calls of calls.ts, one function each, with their errors told in words.

import {
  ApiException,
  AppsV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  type CoreV1Event,
  DiscoveryV1Api,
  type KubeConfig,
  ListWatch,
  PatchStrategy,
  setHeaderOptions,
  type V1EndpointSlice,
  type V1Namespace,
  type V1Pod,
  type V1Service,
  type V2HorizontalPodAutoscaler,
  Watch,
} from '@kubernetes/client-node'
import { GauntletError } from '../../../contracts/errors.ts'
import { tokenSecret } from './calls.ts'

export type WorkloadKind = 'Deployment' | 'StatefulSet'

/** What the driver reads of a Deployment or StatefulSet. */
export interface WorkloadState {
  readonly kind: WorkloadKind
  readonly replicas: number
}

const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

export class KubernetesApi {
  readonly #core: CoreV1Api
  readonly #apps: AppsV1Api
  readonly #config: KubeConfig
  readonly namespace: string

  constructor(config: KubeConfig, namespace: string) {
    this.#config = config
    this.#core = config.makeApiClient(CoreV1Api)
    this.#apps = config.makeApiClient(AppsV1Api)
    this.namespace = namespace
  }

  /** Null where it is not there. */
  readNamespace(): Promise<V1Namespace | null> {
    return this.#orNull('read the namespace', () => this.#core.readNamespace({ name: this.namespace }))
  }

  /** Lists and then watches pods; not started yet. */
  watchPods(labelSelector: string): ListWatch<V1Pod> {
    const { namespace } = this
    return new ListWatch<V1Pod>(
      `/api/v1/namespaces/${namespace}/pods`,
      new Watch(this.#config),
      () => this.#core.listNamespacedPod({ namespace, labelSelector }),
      false,
      labelSelector,
    )
  }

  async deletePod(name: string, gracePeriodSeconds: number | undefined): Promise<void> {
    const { namespace } = this
    await this.#orNull(`delete pod ${name}`, () =>
      this.#core.deleteNamespacedPod({
        name,
        namespace,
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      }),
    )
  }

  /** False: a PodDisruptionBudget does not allow it now. */
  async evictPod(name: string): Promise<boolean> {
    const { namespace } = this
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
    try {
      await persist(() => this.#core.createNamespacedPodEviction({ name, namespace, body }))
      return true
    } catch (error) {
      if (error instanceof ApiException && error.code === 429) return false
      // An attempt whose answer was lost may have evicted it.
      if (error instanceof ApiException && error.code === 404) return true
      throw explain(`evict pod ${name}`, error)
    }
  }

  /** Null where there is no such container, or it has not run yet. */
  readLog(name: string, container: string, previous: boolean): Promise<string | null> {
    const { namespace } = this
    const log = () => this.#core.readNamespacedPodLog({ name, namespace, container, previous })
    return persist(log).catch((error: unknown) => {
      if (error instanceof ApiException && (error.code === 400 || error.code === 404)) return null
      throw explain(`read the log of pod ${name}`, error)
    })
  }

  async listEvents(): Promise<readonly CoreV1Event[]> {
    const { namespace } = this
    return (await this.#told('list events', () => this.#core.listNamespacedEvent({ namespace }))).items
  }

  readService(name: string): Promise<V1Service> {
    const { namespace } = this
    return this.#told(`read Service ${name}`, () => this.#core.readNamespacedService({ name, namespace }))
  }

  /** The agents' token; null where the Secret is not there. */
  async readToken(): Promise<string | null> {
    const { namespace } = this
    const secret = await this.#orNull(`read Secret ${tokenSecret}`, () =>
      this.#core.readNamespacedSecret({ name: tokenSecret, namespace }),
    )
    const token = secret?.data?.['token']
    return token === undefined ? null : Buffer.from(token, 'base64').toString()
  }

  async listEndpoints(service: string): Promise<readonly V1EndpointSlice[]> {
    const { namespace } = this
    const api = this.#config.makeApiClient(DiscoveryV1Api)
    const labelSelector = `kubernetes.io/service-name=${service}`
    const found = () => api.listNamespacedEndpointSlice({ namespace, labelSelector })
    return (await this.#told(`list endpoints of ${service}`, found)).items
  }

  async listAutoscalers(): Promise<readonly V2HorizontalPodAutoscaler[]> {
    const { namespace } = this
    const api = this.#config.makeApiClient(AutoscalingV2Api)
    return (
      await this.#told('list autoscalers', () => api.listNamespacedHorizontalPodAutoscaler({ namespace }))
    ).items
  }

  async createAutoscaler(body: V2HorizontalPodAutoscaler): Promise<void> {
    const { namespace } = this
    const api = this.#config.makeApiClient(AutoscalingV2Api)
    const create = () => api.createNamespacedHorizontalPodAutoscaler({ namespace, body })
    await this.#told('create an autoscaler', () => create().catch(unlessThere))
  }

  async deleteAutoscaler(name: string): Promise<void> {
    const { namespace } = this
    const api = this.#config.makeApiClient(AutoscalingV2Api)
    await this.#orNull(`delete autoscaler ${name}`, () =>
      api.deleteNamespacedHorizontalPodAutoscaler({ name, namespace }),
    )
  }

  /** Null where there is neither a Deployment nor a StatefulSet of that name. */
  async readWorkload(name: string): Promise<WorkloadState | null> {
    const { namespace } = this
    const deployment = await this.#orNull(`read Deployment ${name}`, () =>
      this.#apps.readNamespacedDeployment({ name, namespace }),
    )
    if (deployment !== null) return { kind: 'Deployment', replicas: deployment.spec?.replicas ?? 1 }
    const set = await this.#orNull(`read StatefulSet ${name}`, () =>
      this.#apps.readNamespacedStatefulSet({ name, namespace }),
    )
    return set === null ? null : { kind: 'StatefulSet', replicas: set.spec?.replicas ?? 1 }
  }

  async scale(kind: WorkloadKind, name: string, replicas: number): Promise<void> {
    const request = { name, namespace: this.namespace, body: { spec: { replicas } } }
    await this.#told(`scale ${kind} ${name}`, () =>
      kind === 'Deployment'
        ? this.#apps.patchNamespacedDeploymentScale(request, mergePatch)
        : this.#apps.patchNamespacedStatefulSetScale(request, mergePatch),
    )
  }

  /** As `kubectl rollout restart` does: the template gets a new annotation. */
  async restart(kind: WorkloadKind, name: string, at: string): Promise<void> {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': at }
    const body = { spec: { template: { metadata: { annotations } } } }
    const request = { name, namespace: this.namespace, body }
    await this.#told(`restart ${kind} ${name}`, () =>
      kind === 'Deployment'
        ? this.#apps.patchNamespacedDeployment(request, mergePatch)
        : this.#apps.patchNamespacedStatefulSet(request, mergePatch),
    )
  }

  #told<T>(what: string, call: () => Promise<T>): Promise<T> {
    return persist(call).catch((error: unknown) => {
      throw explain(what, error)
    })
  }

  #orNull<T>(what: string, call: () => Promise<T>): Promise<T | null> {
    return persist(call).catch((error: unknown) => {
      if (error instanceof ApiException && error.code === 404) return null
      throw explain(what, error)
    })
  }
}

/** Attempts of a call, and the pause before the second, ms: doubling. */
const [attempts, pauseMs] = [4, 250]

/**
 * Makes a call again where it did not arrive, or the API server was too busy: all of the calls may be made twice.
 * An answer that something is forbidden, not there, or not allowed now is an answer.
 */
export async function persist<T>(call: () => Promise<T>, pause = pauseMs): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      const answered = error instanceof ApiException && error.code < 500
      if (answered || attempt === attempts) throw error
      await new Promise((resolve) => setTimeout(resolve, pause * 2 ** (attempt - 1)))
    }
  }
}

/** The API server's own message, where it sent one. */
export function explain(what: string, error: unknown): GauntletError {
  if (!(error instanceof ApiException)) {
    const text = error instanceof Error ? `${error.message}${causeOf(error)}` : String(error)
    return new GauntletError('ERR_CLUSTER', `cannot ${what}: ${text}`, { cause: error })
  }
  const forbidden = error.code === 403
  return new GauntletError(
    'ERR_CLUSTER',
    `cannot ${what}: ${messageOf(error.body) ?? `HTTP ${error.code}`}`,
    {
      ...(forbidden ? { fix: 'give the account the role in k8s/components/harness' } : {}),
      cause: error,
    },
  )
}

/** What is there already was made by an attempt whose answer was lost. */
function unlessThere(error: unknown): void {
  if (!(error instanceof ApiException && error.code === 409)) throw error
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? ` (${error.cause.message})` : ''
}

function messageOf(body: unknown): string | null {
  const value = typeof body === 'string' ? parsed(body) : body
  if (typeof value !== 'object' || value === null || !('message' in value)) return null
  return typeof value.message === 'string' ? value.message : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
