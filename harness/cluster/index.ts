// Starts a cluster of either kind; what comes back is the same for both.

import type { Cluster, ClusterOptions } from '../../contracts/cluster.ts'
import { startLocalCluster } from './local/index.ts'

/**
 * Boots the system and resolves once every pod is ready.
 * @throws GauntletError ERR_CLUSTER, ERR_TIMEOUT; ERR_ENVIRONMENT where the machine lacks what `kind` needs
 */
export async function startCluster(kind: Cluster['kind'], options: ClusterOptions = {}): Promise<Cluster> {
  switch (kind) {
    case 'local':
      return startLocalCluster(options)
    case 'kubernetes': {
      // The client takes half a second to load: only who needs it pays.
      const { startKubernetesCluster } = await import('./kubernetes/index.ts')
      return startKubernetesCluster(options)
    }
  }
}
