// Starts a cluster of either kind; what comes back is the same for both.

import type { Cluster, ClusterOptions } from '../../contracts/cluster.ts'
import { GauntletError } from '../../contracts/errors.ts'
import { startLocalCluster } from './local/index.ts'

/**
 * Boots the system and resolves once every pod is ready.
 * @throws GauntletError ERR_CLUSTER, ERR_TIMEOUT; ERR_ENVIRONMENT where the machine lacks what `kind` needs
 */
export async function startCluster(kind: Cluster['kind'], options: ClusterOptions = {}): Promise<Cluster> {
  switch (kind) {
    case 'local':
      return startLocalCluster(options)
    case 'kubernetes':
      throw new GauntletError('ERR_ENVIRONMENT', 'the driver for kubernetes is not there yet', {
        field: '--cluster',
        value: kind,
        fix: 'use local',
      })
  }
}
