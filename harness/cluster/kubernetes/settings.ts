// What may be set about a cluster of Kubernetes: by environment variables, since scenarios take the same flags on both.

import { GauntletError } from '../../../contracts/errors.ts'

/** How this process talks to pods. */
export type Reach = 'direct' | 'forward'

export interface KubernetesSettings {
  /** Context of the kubeconfig; null: its current one, or the pod's own account when this process is in the cluster. */
  readonly context: string | null
  readonly namespace: string
  /** Contexts that may be used besides those whose names show that they are for trying out. */
  readonly allowedContexts: readonly string[]
  /** Whether a namespace that `npm run deploy` did not make may be used. */
  readonly foreignNamespace: boolean
  readonly reach: Reach | 'auto'
}

/** @throws GauntletError ERR_ENVIRONMENT */
export function readSettings(env: Readonly<Record<string, string | undefined>>): KubernetesSettings {
  const reach = env['KUBE_REACH'] || 'auto'
  if (reach !== 'auto' && reach !== 'direct' && reach !== 'forward') {
    throw new GauntletError('ERR_ENVIRONMENT', `got ${reach}`, {
      field: 'KUBE_REACH',
      value: reach,
      fix: 'use direct, forward or auto',
    })
  }
  return {
    context: env['KUBE_CONTEXT'] || null,
    namespace: env['KUBE_NAMESPACE'] || 'stepflow-demo',
    allowedContexts: (env['KUBE_ALLOW_CONTEXTS'] ?? '').split(',').flatMap((name) => name.trim() || []),
    foreignNamespace: env['KUBE_ALLOW_NAMESPACE'] === 'true',
    reach,
  }
}

/** Names that tools for clusters on one's own machine give to their contexts. */
const forTryingOut =
  /^(kubekit|minikube|docker-desktop|rancher-desktop|orbstack|colima|(kind|k3d|lima|stepflow)-.+|lima|in-cluster)$/

/** Whether faults may be injected into the clusters of that context. */
export function isAllowedContext(name: string, allowed: readonly string[]): boolean {
  return forTryingOut.test(name) || allowed.includes(name)
}

/** The label that `npm run deploy` puts on the namespace it makes. */
export const ownLabel = { name: 'app.kubernetes.io/managed-by', value: 'stepflow-gauntlet' } as const
