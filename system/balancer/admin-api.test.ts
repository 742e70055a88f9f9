// The admin listener's own paths, over HTTP.

import t from 'tap'
import { startAdmin } from '../program/admin.ts'
import { createAdminApi } from './admin-api.ts'
import { type Owner, post, send, startFor, startPod, takers } from './test-support.ts'

async function open(owner: Owner, reload: () => Promise<void> = async () => {}) {
  const pods = [await startPod(owner, 'a'), await startPod(owner, 'b')]
  const balancer = await startFor(owner, pods)
  const api = createAdminApi(balancer, reload)
  const admin = await startAdmin({
    address: '127.0.0.1:0',
    registry: balancer.registry,
    notReady: () => balancer.notReady(),
    ...api,
  })
  owner.teardown(() => admin.close())
  const call = async (path: string, method = 'GET') => {
    const response = await fetch(`http://${admin.address}${path}`, { method })
    return { status: response.status, text: await response.text() }
  }
  return { pods, balancer, call }
}

t.test('shows every pod with its state and requests in flight', async (t) => {
  const { pods, call } = await open(t)
  const { status, text } = await call('/backends')
  t.equal(status, 200)
  t.match(JSON.parse(text), {
    backends: pods.map(({ key, instanceId }) => ({ backend: key, instanceId, state: 'ready', inFlight: 0 })),
  })
})

t.test('drains a pod for new work and not for callbacks, and undrains it', async (t) => {
  const { pods, balancer, call } = await open(t)
  const [a, b] = pods
  t.equal((await call(`/backends/${a!.key}/drain`, 'POST')).status, 200)
  t.same(takers(balancer), [b!.key])
  for (let request = 0; request < 4; request++) {
    t.equal((await send(t, balancer.port, post('{}'))).body, '{"pod":"b"}')
  }
  const pinned = await send(t, balancer.port, post('{}', 'Stepflow-Instance-Id: a\r\n'))
  t.equal(pinned.body, '{"pod":"a"}')
  t.equal((await call(`/backends/${encodeURIComponent(a!.key)}/undrain`, 'POST')).status, 200)
  t.equal(takers(balancer).length, 2)
})

t.test('says what it does not know', async (t) => {
  const { call } = await open(t)
  t.equal((await call('/backends/10.9.9.9:1/drain', 'POST')).status, 404)
  t.equal((await call('/backends/%zz/drain', 'POST')).status, 404)
  t.equal((await call('/nothing', 'POST')).status, 404)
  t.equal((await call('/nothing')).status, 404)
  t.equal((await call('/backends', 'DELETE')).status, 405)
})

t.test('drains the balancer: it is not ready, and goes on serving', async (t) => {
  const { call, balancer } = await open(t)
  t.equal((await call('/readyz')).status, 200)
  t.equal((await call('/drain', 'POST')).status, 200)
  t.same(await call('/readyz'), { status: 503, text: 'draining\n' })
  t.match((await send(t, balancer.port, post('{}'))).head, 'Connection: close\r\n')
})

t.test('reloads, or says why not', async (t) => {
  let calls = 0
  const good = await open(t, async () => {
    calls++
  })
  t.equal((await good.call('/reload', 'POST')).status, 200)
  t.equal(calls, 1)
  const wrong = await open(t, async () => {
    throw new Error('rules[0].pools: names no pool')
  })
  const { status, text } = await wrong.call('/reload', 'POST')
  t.equal(status, 400)
  t.match(text, 'rules[0].pools: names no pool')
})
