// The local cluster with stand-in programs: boots, replaces, scales, rolls out and stops.

import { existsSync } from 'node:fs'
import t, { test } from 'tap'
import type { Cluster, PodEvent } from '../../contracts/cluster.ts'
import { fakeCluster, processesOf } from './local-cluster-helpers.ts'

/** One cluster for the tests that leave it as it was; booting is most of their time. */
const shared = await fakeCluster()
t.teardown(() => shared.stop())

test('boots runtime, balancers and component servers with names, addresses and ports of their own', async (t) => {
  const cluster = shared
  const pods = await cluster.allPods()
  t.match(
    pods.map((pod) => pod.name.replace(/-[a-z0-9]{10}-[a-z0-9]{5}$/, '')),
    [
      'stepflow-server',
      ...['pingora-lb', 'pingora-lb'],
      ...['component-server', 'component-server', 'component-server'],
    ],
  )
  t.equal(new Set(pods.map((pod) => `${pod.address}:${pod.port}`)).size, 6, 'no two share an endpoint')
  for (const pod of pods) {
    t.match(pod, { phase: 'Running', ready: true, restarts: 0 })
    t.equal(await text(cluster.podUrl(pod)), `${pod.name}\n`)
    t.equal((await fetch(`${cluster.podAdminUrl(pod)}/readyz`)).status, 200)
  }
})

test('spreads new connections of a Service over its ready pods', async (t) => {
  const cluster = shared
  const url = await cluster.serviceUrl('balancer')
  const answers = await Promise.all(Array.from({ length: 8 }, () => text(url)))
  const counts = (await cluster.pods('balancer')).map(
    (pod) => answers.filter((answer) => answer === `${pod.name}\n`).length,
  )
  t.same(counts, [4, 4])
  await t.rejects(cluster.serviceUrl('component-server'), { code: 'ERR_CLUSTER' }, 'headless')
})

test('replaces a deleted pod by one of another name, and DNS follows', async (t) => {
  const cluster = shared
  const [victim] = await cluster.pods('component-server')
  const events: PodEvent[] = []
  const unwatch = cluster.watch((event) => events.push(event))
  await cluster.deletePod(victim!.name, { gracePeriodSeconds: 0 })
  t.match(events.at(-1) ?? events, {
    kind: 'gone',
    pod: { name: victim!.name, phase: 'Failed', ready: false },
  })
  const ready = await cluster.waitReady('component-server')
  unwatch()
  t.equal(ready.length, 3)
  t.notOk(ready.some((pod) => pod.name === victim!.name))
  t.same(await cluster.resolve('component-server'), ready.map((pod) => `${pod.address}:${pod.port}`).sort())
  t.match(await cluster.history(victim!.name), /process\.started/, 'its history stays')
  t.match(await cluster.logs(victim!.name), /starting/, 'its log stays')
})

test('starts a killed program again in place', async (t) => {
  const cluster = shared
  const [victim] = await cluster.pods('balancer')
  await cluster.signalPod(victim!.name, 'SIGKILL')
  const restarted = await became(
    cluster,
    (pod) => pod.name === victim!.name && pod.ready && pod.restarts === 1,
  )
  t.equal(restarted.address, victim!.address)
  t.equal(restarted.createdAt, victim!.createdAt)
})

test('scales up, and down by the newest', async (t) => {
  const cluster = shared
  const before = await cluster.pods('component-server')
  await cluster.scale('component-server', 5)
  t.equal((await cluster.waitReady('component-server')).length, 5)
  await cluster.scale('component-server', 3)
  const after = await cluster.waitReady('component-server')
  t.same(
    after.map((pod) => pod.name),
    before.map((pod) => pod.name),
  )
})

test('replaces every pod of a role, the new one ready before the old one goes', async (t) => {
  const cluster = shared
  const before = new Set((await cluster.pods('balancer')).map((pod) => pod.name))
  const ready = new Set(before)
  let fewest = ready.size
  const unwatch = cluster.watch(({ pod }) => {
    if (pod.role !== 'balancer') return
    if (pod.ready) ready.add(pod.name)
    else ready.delete(pod.name)
    fewest = Math.min(fewest, ready.size)
  })
  await cluster.rolloutRestart('balancer')
  unwatch()
  const after = await cluster.pods('balancer')
  t.equal(after.length, 2)
  t.notOk(after.some((pod) => before.has(pod.name)))
  t.equal(fewest, 2, 'never fewer ready than wanted')
})

test('replaces the runtime only when the old one is gone', async (t) => {
  const cluster = shared
  const [old] = await cluster.pods('runtime')
  const order: string[] = []
  const unwatch = cluster.watch(
    ({ kind, pod }) => kind !== 'changed' && order.push(`${kind} ${pod.name === old!.name}`),
  )
  await cluster.rolloutRestart('runtime')
  unwatch()
  t.same(order, ['gone true', 'added false'])
})

test('names the pod that does not start, with the end of its log', async (t) => {
  const booting = fakeCluster({ env: { balancer: { FAKE_EXIT: '2' } } })
  await t.rejects(booting, {
    code: 'ERR_CLUSTER',
    field: /^pingora-lb-/,
    message: /exit code 2.*told to exit/s,
  })
})

test('says which pods are not ready when the boot takes too long', async (t) => {
  const booting = fakeCluster({ env: { balancer: { FAKE_NOT_READY: '1' } } }, { bootTimeoutMs: 2_000 })
  await t.rejects(booting, { code: 'ERR_CLUSTER', message: /pingora-lb-.*HTTP 503: no reason/ })
})

test('refuses more pods than there are addresses', async (t) => {
  await t.rejects(fakeCluster({ replicas: { balancer: 400 } }), {
    code: 'ERR_CLUSTER',
    message: /do not fit/,
  })
})

test('ends the boot when it is told to', async (t) => {
  const controller = new AbortController()
  const booting = fakeCluster({ signal: controller.signal })
  controller.abort(new Error('enough'))
  await t.rejects(booting, { message: 'enough' })
  await t.rejects(fakeCluster({ signal: controller.signal }), { message: 'enough' })
})

test('stops without a trace, and more than once', async (t) => {
  const cluster = await fakeCluster({ replicas: { balancer: 1, 'component-server': 1 } })
  const dns = cluster.description['dns']!
  t.equal((await processesOf(dns)).length, 3)
  const [pod] = await cluster.pods('runtime')
  const log = await cluster.logs(pod!.name)
  const folder = /"HISTORY_FILE":"(.+?)\/history\//.exec(log)![1]!
  t.ok(existsSync(folder))
  await Promise.all([cluster.stop(), cluster.stop()])
  await cluster.stop()
  t.same(await processesOf(dns), [])
  t.notOk(existsSync(folder))
  await t.rejects(cluster.pods('runtime'), { code: 'ERR_CLUSTER', message: /stopped/ })
})

async function text(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: 'close' } })).text()
}

function became(cluster: Cluster, wanted: (pod: PodEvent['pod']) => boolean): Promise<PodEvent['pod']> {
  return new Promise((resolve) => {
    const unwatch = cluster.watch(({ pod }) => {
      if (!wanted(pod)) return
      unwatch()
      resolve(pod)
    })
  })
}
