// Tests of the choice of a cluster.

import { test } from 'tap'
import { startCluster } from './index.ts'

test('refuses Kubernetes where there is no kubeconfig', async (t) => {
  const before = { ...process.env }
  t.teardown(() => {
    process.env = before
  })
  process.env['KUBECONFIG'] = '/nonexistent/kubeconfig'
  delete process.env['KUBERNETES_SERVICE_HOST']
  await t.rejects(startCluster('kubernetes'), { code: 'ERR_ENVIRONMENT', field: 'KUBECONFIG' })
})
