// Tests of the choice of a cluster.

import { test } from 'tap'
import { startCluster } from './index.ts'

test('says that there is no driver for Kubernetes yet', async (t) => {
  await t.rejects(startCluster('kubernetes'), {
    code: 'ERR_ENVIRONMENT',
    field: '--cluster',
    fix: 'use local',
  })
})
