import { test } from 'tap'
import { isAllowedContext, readSettings } from './settings.ts'

test('contexts of clusters for trying out are allowed, others only by name', async (t) => {
  for (const name of [
    'kubekit',
    'kind-a',
    'k3d-b',
    'minikube',
    'docker-desktop',
    'lima',
    'lima-k3s',
    'in-cluster',
  ]) {
    t.ok(isAllowedContext(name, []), name)
  }
  for (const name of ['production', 'gke_project_zone_name', 'kind-', 'my-kind-a', 'loaded-context', '']) {
    t.notOk(isAllowedContext(name, []), name)
  }
  t.ok(isAllowedContext('production', ['production']))
})

test('defaults, and every variable', async (t) => {
  t.same(readSettings({}), {
    context: null,
    namespace: 'stepflow-demo',
    allowedContexts: [],
    foreignNamespace: false,
    reach: 'auto',
  })
  t.same(
    readSettings({
      KUBE_CONTEXT: 'a',
      KUBE_NAMESPACE: 'b',
      KUBE_ALLOW_CONTEXTS: 'a, c',
      KUBE_ALLOW_NAMESPACE: 'true',
      KUBE_REACH: 'forward',
    }),
    { context: 'a', namespace: 'b', allowedContexts: ['a', 'c'], foreignNamespace: true, reach: 'forward' },
  )
})

test('refuses a reach that there is not', async (t) => {
  t.throws(() => readSettings({ KUBE_REACH: 'vpn' }), { code: 'ERR_ENVIRONMENT', field: 'KUBE_REACH' })
})
