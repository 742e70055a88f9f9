// Finds the cluster: a kubeconfig's context, or the account of the pod this process runs in; refuses what is not allowed.

import { KubeConfig } from '@kubernetes/client-node'
import { GauntletError } from '../../../contracts/errors.ts'
import { isAllowedContext, type KubernetesSettings } from './settings.ts'

export interface Connection {
  readonly config: KubeConfig
  readonly context: string
  /** Whether this process is a pod of that cluster. */
  readonly inCluster: boolean
}

/**
 * @param env of the process: KUBERNETES_SERVICE_HOST and KUBECONFIG are looked at
 * @throws GauntletError ERR_ENVIRONMENT
 */
export function connect(
  settings: KubernetesSettings,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Connection {
  const config = new KubeConfig()
  const inCluster = env['KUBERNETES_SERVICE_HOST'] !== undefined && env['KUBECONFIG'] === undefined
  try {
    if (inCluster) config.loadFromCluster()
    else config.loadFromDefault()
  } catch (error) {
    throw new GauntletError('ERR_ENVIRONMENT', 'no kubeconfig can be read', {
      field: 'KUBECONFIG',
      fix: 'name one that kubectl can use',
      cause: error,
    })
  }
  if (settings.context !== null) {
    if (config.getContextObject(settings.context) === null) {
      throw new GauntletError('ERR_ENVIRONMENT', `the kubeconfig has no context ${settings.context}`, {
        field: 'KUBE_CONTEXT',
        value: settings.context,
        fix: `use one of ${
          config
            .getContexts()
            .map(({ name }) => name)
            .join(', ') || 'another kubeconfig'
        }`,
      })
    }
    config.setCurrentContext(settings.context)
  }
  const context = inCluster ? 'in-cluster' : config.getCurrentContext()
  if (config.getCurrentCluster() === null) {
    throw new GauntletError('ERR_ENVIRONMENT', 'the kubeconfig names no cluster', {
      field: 'KUBECONFIG',
      fix: 'name a kubeconfig, or choose its context by KUBE_CONTEXT',
    })
  }
  if (!isAllowedContext(context, settings.allowedContexts)) {
    throw new GauntletError('ERR_ENVIRONMENT', `context ${context} may be of a cluster that others need`, {
      field: 'KUBE_CONTEXT',
      value: context,
      fix: `set KUBE_ALLOW_CONTEXTS=${context} if it is there to be broken`,
    })
  }
  return { config, context, inCluster }
}
