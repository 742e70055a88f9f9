// A Pod of the API server as the contract's pod.

import type { V1Container, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { appNames, type Pod, type PodPhase, type Role } from '../../../contracts/cluster.ts'
import type { PodStatus } from '../local/protocol.ts'

/** A pod with what the driver needs of it besides. */
export interface SeenPod {
  readonly pod: Pod
  readonly status: PodStatus
  /** The agent's port; null where the pod has none. */
  readonly agentPort: number | null
  /** Whether the agent is a proxy in front of the program. */
  readonly linked: boolean
  /** What the program's container asks for and may have, e.g. `component-server: cpu 100m, memory 256Mi to 256Mi`. */
  readonly resources: string
  /** The node it runs on; empty while it has none. */
  readonly node: string
  /** Whether it will never run again. */
  readonly ended: boolean
}

/** µs of CLOCK_MONOTONIC. */
export interface SeenTimes {
  readonly createdAt: number
  readonly readyAt?: number
}

const rolesByApp = new Map(Object.entries(appNames).map(([role, app]) => [app, role as Role]))

/** By the label `app`; null for other pods. */
export function roleOf(pod: V1Pod): Role | null {
  return rolesByApp.get(pod.metadata?.labels?.['app'] ?? '') ?? null
}

/** Whether the pod may be sent new connections. */
export function isReady(pod: V1Pod): boolean {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  return condition?.status === 'True' && pod.metadata?.deletionTimestamp === undefined
}

export function seenPod(pod: V1Pod, role: Role, times: SeenTimes): SeenPod {
  const program = programOf(pod, role)
  const state = pod.status?.containerStatuses?.find(({ name }) => name === program?.name)
  const labels = pod.metadata?.labels ?? {}
  const ready = isReady(pod)
  const terminating = pod.metadata?.deletionTimestamp !== undefined
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  return {
    pod: {
      name: pod.metadata?.name ?? '',
      role,
      address: pod.status?.podIP ?? '',
      port: portNamed(program, 'http') ?? 0,
      adminPort: portNamed(program, 'admin') ?? 0,
      phase: phaseOf(pod),
      ready,
      restarts: state?.restartCount ?? 0,
      ...times,
    },
    status: {
      revision: labels['pod-template-hash'] ?? labels['controller-revision-hash'] ?? '',
      pid: null,
      lastExit: exitOf(state),
      notReady: ready ? null : terminating ? 'terminating' : reasonOf(pod, state),
    },
    agentPort: agentPortOf(pod),
    linked: agentOf(pod)?.env?.some(({ name }) => name === 'LINK_ADDRESS') === true,
    node: pod.spec?.nodeName ?? '',
    resources: `${appNames[role]}: ${resourcesOf(program)}`,
    ended,
  }
}

/** The container that runs the role's program. */
function programOf(pod: V1Pod, role: Role): V1Container | undefined {
  const containers = pod.spec?.containers ?? []
  return containers.find(({ name }) => name === appNames[role]) ?? containers[0]
}

function resourcesOf(container: V1Container | undefined): string {
  const { requests = {}, limits = {} } = container?.resources ?? {}
  const one = (name: string): string => `${name} ${requests[name] ?? 'any'} to ${limits[name] ?? 'no limit'}`
  return `${one('cpu')}, ${one('memory')}`
}

function portNamed(container: V1Container | undefined, name: string): number | undefined {
  return container?.ports?.find((port) => port.name === name)?.containerPort
}

function agentOf(pod: V1Pod): V1Container | undefined {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  return containers.find(({ name }) => name === 'agent')
}

/** Null too while the agent does not run. */
function agentPortOf(pod: V1Pod): number | null {
  const agent = agentOf(pod)
  const states = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const runs = states.some(({ name, state }) => name === 'agent' && state?.running !== undefined)
  return runs ? (portNamed(agent, 'agent') ?? null) : null
}

function phaseOf(pod: V1Pod): PodPhase {
  if (pod.metadata?.deletionTimestamp !== undefined) return 'Terminating'
  const phase = pod.status?.phase
  return phase === 'Running' || phase === 'Succeeded' || phase === 'Failed' ? phase : 'Pending'
}

function exitOf(state: V1ContainerStatus | undefined): string | null {
  const ended = state?.state?.terminated ?? state?.lastState?.terminated
  if (ended === undefined) return null
  const how =
    ended.signal !== undefined && ended.signal !== 0
      ? `signal ${ended.signal}`
      : `exit code ${ended.exitCode}`
  return ended.reason === undefined || ended.reason === 'Error' ? how : `${how} (${ended.reason})`
}

/** Why it is not ready: the container's own reason before the pod's conditions. */
function reasonOf(pod: V1Pod, state: V1ContainerStatus | undefined): string {
  const waiting = state?.state?.waiting
  if (waiting?.reason !== undefined && waiting.reason !== 'PodInitializing') {
    return `${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}`
  }
  const failing = pod.status?.conditions?.find(
    ({ status, message }) => status !== 'True' && message !== undefined,
  )
  return failing?.message ?? pod.status?.reason ?? 'it starts'
}
