// The cluster as scenarios see it: the same for local processes and for Kubernetes.

import type { Placement, TriedFlows } from './asked.ts'
import type { Role } from './history.ts'
import type { ClusterHooks } from './hooks.ts'

export type { Role } from './history.ts'

/** The Kubernetes name of each role's app, Service and pod prefix. */
export const appNames: Readonly<Record<Role, string>> = {
  runtime: 'stepflow-server',
  balancer: 'pingora-lb',
  'component-server': 'component-server',
}

export type PodPhase = 'Pending' | 'Running' | 'Terminating' | 'Succeeded' | 'Failed'

export interface Pod {
  /** e.g. `component-server-7d9f8b6c5-x2x8q`; a replacement has another name, a restarted container the same. */
  readonly name: string
  readonly role: Role
  /** IP address of the pod. */
  readonly address: string
  /** Port of the program's main listener. */
  readonly port: number
  /** Port of its admin listener (`/livez`, `/readyz`, `/metrics`). */
  readonly adminPort: number
  readonly phase: PodPhase
  readonly ready: boolean
  /** How often its program was started again in place. */
  readonly restarts: number
  /** µs of CLOCK_MONOTONIC at which it was created, and first became ready. */
  readonly createdAt: number
  readonly readyAt?: number
}

export interface PodEvent {
  /** µs of CLOCK_MONOTONIC. */
  readonly at: number
  readonly kind: 'added' | 'changed' | 'gone'
  readonly pod: Pod
}

export interface DeleteOptions {
  /**
   * Seconds between SIGTERM and SIGKILL, default 30 (as in Kubernetes). 0 kills at once with SIGKILL,
   * and is done when the process is gone.
   */
  readonly gracePeriodSeconds?: number
}

export interface WaitOptions {
  /** Default 30,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** What a cluster needs to know to boot; each has a default. */
export interface ClusterOptions {
  /** Replicas by role; default runtime 1, balancer 2, component-server 3. */
  readonly replicas?: Partial<Record<Role, number>>
  /** Ends the boot early. */
  readonly signal?: AbortSignal
  /** Text of stepflow-config.yml for the runtime; default the architecture's. */
  readonly runtimeConfig?: string
  /** Extra environment variables of a role's program. */
  readonly env?: Partial<Record<Role, Readonly<Record<string, string>>>>
  /** Modules with components of the user's own, for the component servers. */
  readonly componentFiles?: readonly string[]
  /** Arguments for Node before the program's file (a test plants a defect by `--import`); local only. */
  readonly nodeArgs?: Partial<Record<Role, readonly string[]>>
  /** Roles whose pods are reached through a fault-injecting proxy; default none. On Kubernetes: must be deployed so. */
  readonly links?: readonly Role[]
  /** Where history, logs and configs of the pods go; default a temporary folder removed at stop. */
  readonly directory?: string
}

/** How the number of a role's replicas follows the CPU that its programs use. */
export interface AutoscaleOptions {
  readonly min: number
  readonly max: number
  /** CPU wanted, in percent of what a pod's program asks for. */
  readonly cpuPercent: number
  /** How long the load must have been lower before pods go, seconds. */
  readonly settleSeconds: number
}

/**
 * A running system. Methods throw GauntletError (ERR_CLUSTER, ERR_TIMEOUT). Disposing stops everything
 * that the cluster started, whatever state it is in.
 */
export interface Cluster extends AsyncDisposable {
  readonly kind: 'local' | 'kubernetes'
  /** What faults may do to it beyond these methods; absent: nothing. */
  readonly hooks?: ClusterHooks
  /** For the report: versions, addressing mode, limits. */
  readonly description: Readonly<Record<string, string>>
  /** A folder for files of whoever uses the cluster, removed with it, also when this process is killed. */
  readonly scratchDirectory?: string

  /** Pods of a role that are not gone, oldest first; those that terminate too. */
  pods(role: Role): Promise<readonly Pod[]>
  /** Calls `listener` on each change of a pod until the function it returns is called. */
  watch(listener: (event: PodEvent) => void): () => void
  /** Sets the number of replicas and returns at once; see waitReady. */
  scale(role: Role, replicas: number): Promise<void>
  /** Resolves once exactly `replicas` (default: the wanted number) pods are ready and none terminates. */
  waitReady(role: Role, options?: WaitOptions & { readonly replicas?: number }): Promise<readonly Pod[]>
  /** Deletes a pod; the role's controller replaces it. Resolves when the process is gone. */
  deletePod(name: string, options?: DeleteOptions): Promise<void>
  /** Sends a signal to the pod's program. SIGSTOP and SIGCONT freeze and thaw; SIGKILL makes it restart in place. */
  signalPod(name: string, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Replaces every pod of the role, one at a time, the new one ready before the old one goes. */
  rolloutRestart(role: Role, options?: WaitOptions): Promise<void>
  /**
   * Lets an autoscaler set the role's replicas until it is disposed; `scale` and `waitReady` without a number are of no
   * use meanwhile. Only where there is one (Kubernetes).
   */
  autoscale?(role: Role, options: AutoscaleOptions): Promise<AsyncDisposable>
  /** Has stand-ins try who can talk to whom under the network policies. Only on Kubernetes. */
  tryFlows?(options?: Pick<WaitOptions, 'signal'>): Promise<TriedFlows>
  /** Where the scheduler puts pods, on pretended nodes and on those of the cluster. Only on Kubernetes. */
  tryPlacements?(options?: Pick<WaitOptions, 'signal'>): Promise<readonly Placement[]>
  /**
   * Asks for the end of a pod as a drain does; false: a PodDisruptionBudget does not allow it now. Only where there are
   * budgets (Kubernetes).
   */
  evictPod?(name: string): Promise<boolean>
  /** The pod's log so far, also of pods gone since boot. */
  logs(podName: string): Promise<string>
  /** The pod's history records so far as text (NDJSON), also of pods gone since boot. */
  history(podName: string): Promise<string>
  /** Names of all pods since boot, those gone included. */
  allPods(): Promise<readonly Pod[]>
  /** Base URL of a role's Service, reachable from this process, e.g. `http://127.63.0.10:7840`. */
  serviceUrl(role: Role): Promise<string>
  /** Base URLs of one pod, reachable from this process. */
  podUrl(pod: Pod): string
  podAdminUrl(pod: Pod): string
  /** Addresses a Service name resolves to in the cluster's DNS now, `address:port`. */
  resolve(serviceName: string): Promise<readonly string[]>
  /** Stops everything and removes every trace. Idempotent. */
  stop(): Promise<void>
}
