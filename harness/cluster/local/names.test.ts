// Tests of the names: Kubernetes' form and alphabet.

import { test } from 'tap'
import { podName, revisionName, serviceName } from './names.ts'

test('names pods and Services as Kubernetes does', async (t) => {
  const revision = revisionName(Math.random)
  t.match(revision, /^[bcdfghjklmnpqrstvwxz2456789]{10}$/)
  t.match(podName('balancer', revision, Math.random), new RegExp(`^pingora-lb-${revision}-[a-z0-9]{5}$`))
  t.equal(serviceName('runtime'), 'stepflow-server.stepflow-demo.svc.cluster.local')
})

test('uses the whole alphabet and never leaves it', async (t) => {
  t.equal(
    revisionName(() => 0),
    'bbbbbbbbbb',
  )
  t.equal(
    revisionName(() => 1 - Number.EPSILON),
    '9999999999',
  )
})
