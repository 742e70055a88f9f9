// Both ways to tell pods apart, by address and by port, as the programs' own resolver sees them.

import { test } from 'tap'
import type { Addressing } from '../../harness/cluster/local/settings.ts'
import { createResolve } from '../../system/program/resolve.ts'
import { fakeCluster } from './local-cluster-helpers.ts'

const headless = 'component-server.stepflow-demo.svc.cluster.local'

for (const addressing of ['own', 'shared'] as const satisfies readonly Addressing[]) {
  const skip =
    addressing === 'own' && process.platform !== 'linux' ? 'this platform has 127.0.0.1 only' : false
  test(`programs find pods and Services where pods have ${addressing} addresses`, { skip }, async (t) => {
    await using cluster = await fakeCluster({}, { addressing })
    await using other = await fakeCluster({ replicas: { balancer: 1 } }, { addressing })
    const pods = [...(await cluster.allPods()), ...(await other.allPods())]
    t.equal(new Set(pods.map((pod) => `${pod.address}:${pod.port}`)).size, 11, 'two clusters share nothing')
    t.equal(new Set(pods.map((pod) => pod.address)).size, addressing === 'own' ? 11 : 1)

    const resolve = createResolve(cluster.description['dns'])
    const found = async (name: string): Promise<string[]> =>
      (await resolve(name, 8080)).endpoints.map((at) => `${at.address}:${at.port}`).sort()
    const endpoints = (await cluster.pods('component-server'))
      .map((pod) => `${pod.address}:${pod.port}`)
      .sort()
    t.same(await found(headless), endpoints)
    t.same(await cluster.resolve('component-server'), endpoints)
    t.same(await cluster.resolve(headless), endpoints)

    const balancer = await cluster.serviceUrl('balancer')
    const [service] = await found('pingora-lb.stepflow-demo.svc.cluster.local')
    t.equal(`http://${service}`, balancer)
    t.match(await (await fetch(balancer)).text(), /^pingora-lb-/)
    t.match(await (await fetch(await cluster.serviceUrl('runtime'))).text(), /^stepflow-server-/)

    const [deleted] = await cluster.pods('component-server')
    await cluster.deletePod(deleted!.name, { gracePeriodSeconds: 0 })
    await cluster.waitReady('component-server')
    t.notOk(
      (await found(headless)).includes(`${deleted!.address}:${deleted!.port}`),
      'a gone pod is not found',
    )
    t.same(await cluster.resolve('nothing'), [])
  })
}
