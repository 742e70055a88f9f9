// Whether what was deployed has come up, and what stands in its way: decided from the API server's objects alone.

export interface WorkloadObject {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly generation?: number }
  readonly spec?: { readonly replicas?: number }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly message?: string
    }[]
  }
}

interface ContainerState {
  readonly name: string
  readonly restartCount?: number
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } }
  readonly lastState?: { readonly terminated?: { readonly exitCode?: number; readonly reason?: string } }
}

export interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly message?: string
    }[]
    readonly initContainerStatuses?: readonly ContainerState[]
    readonly containerStatuses?: readonly ContainerState[]
  }
}

/** Pods of the newest template that are ready, of those wanted. */
export function progressOf({ kind, metadata, spec, status }: WorkloadObject): {
  readonly done: boolean
  readonly text: string
} {
  const wanted = spec?.replicas ?? 1
  const seen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  const updated = seen ? (status?.updatedReplicas ?? 0) : 0
  const ready = seen ? Math.min(status?.readyReplicas ?? 0, updated) : 0
  const old = (status?.replicas ?? 0) - updated
  const done = seen && updated === wanted && (status?.readyReplicas ?? 0) === wanted && old === 0
  return {
    done,
    text: `${kind} ${metadata.name}: ${ready} of ${wanted} ready${old > 0 ? `, ${old} old` : ''}`,
  }
}

/** Reasons for which a container waits that do not go away by waiting. */
const hopeless =
  /^(ErrImageNeverPull|InvalidImageName|CreateContainerConfigError|CreateContainerError|CrashLoopBackOff|ImagePullBackOff|ErrImagePull)$/

/** Why a pod is not ready; null when it is, or when it only needs time. */
export function troubleOf({ metadata, status }: PodObject): string | null {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  for (const { name, state, lastState, restartCount = 0 } of containers) {
    const waiting = state?.waiting
    if (waiting?.reason !== undefined && hopeless.test(waiting.reason)) {
      const last = lastState?.terminated
      const ended = last === undefined ? '' : `, ended with exit code ${last.exitCode} (${last.reason})`
      const restarts = restartCount > 0 ? `, ${restartCount} restarts` : ''
      return `${metadata.name}: ${name} waits: ${waiting.reason}${restarts}${ended}: ${waiting.message ?? ''}`
    }
  }
  const unscheduled = status?.conditions?.find(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'False',
  )
  return unscheduled === undefined ? null : `${metadata.name}: ${unscheduled.message ?? 'is not scheduled'}`
}
