// Several relaying threads behind one port: counted exactly, fed the same pods, drained together.

import t from 'tap'
import { inFlight, post, RawClient, send, startFor, startPod, totals, until } from './test-support.ts'

const body = '{"jsonrpc":"2.0","id":1,"method":"components/execute","params":{}}'

t.test('threads share the port, the counters and the turn', async (t) => {
  const waiting: (() => void)[] = []
  const pods = await Promise.all(
    ['a', 'b', 'c'].map((id) =>
      startPod(t, id, (_request, _body, response) => {
        waiting.push(() => response.end('ok'))
      }),
    ),
  )
  const balancer = await startFor(t, pods, {}, undefined, { threads: 2 })
  const clients = Array.from({ length: 30 }, () => new RawClient(t, balancer.port))
  for (const client of clients) client.write(post(body))
  await until(() => waiting.length === 30)
  // Exactly least in flight, whichever thread each request came to.
  t.same(
    balancer.directory.reports().map((report) => report.inFlight),
    [10, 10, 10],
  )
  const snapshots = await Promise.all(balancer.loops.map((loop) => loop.snapshot()))
  t.equal(snapshots.length, 2)
  t.ok(
    snapshots.every(({ totals: { clientConnections } }) => clientConnections > 0),
    'both threads took connections',
  )
  for (const finish of waiting) finish()
  for (const client of clients) t.equal((await client.answer()).status, 200)
  t.equal(inFlight(balancer), 0)
  t.match(await balancer.registry.metrics(), /stepflow_lb_sent_requests_total 30\n/)
})

t.test('every thread reaches the pod of an instance, and learns of pods that came later', async (t) => {
  const pods = [await startPod(t, 'a'), await startPod(t, 'b')]
  const balancer = await startFor(t, pods, {}, undefined, { threads: 2 })
  for (let request = 0; request < 12; request++) {
    const answer = await send(t, balancer.port, post(body, 'Stepflow-Instance-Id: b\r\n'))
    t.equal(answer.body, '{"pod":"b"}')
  }
  const unknown = await send(t, balancer.port, post(body, 'Stepflow-Instance-Id: nobody\r\n'))
  t.equal(unknown.status, 503)
  await pods[0]!.kill()
  for (let request = 0; request < 12; request++)
    t.equal((await send(t, balancer.port, post(body))).status, 200)
})

t.test('threads drain together', async (t) => {
  const waiting: (() => void)[] = []
  const pod = await startPod(t, 'a', (_request, _body, response) => {
    waiting.push(() => response.end('ok'))
  })
  const balancer = await startFor(t, [pod], { drainIdleMs: 50 }, undefined, { threads: 2 })
  const clients = Array.from({ length: 6 }, () => new RawClient(t, balancer.port))
  for (const client of clients) client.write(post(body))
  await until(() => waiting.length === 6)
  balancer.announceDrain()
  let drained = false
  const done = balancer.drain().then(() => {
    drained = true
  })
  await totals(balancer)
  t.equal(drained, false)
  for (const finish of waiting) finish()
  for (const client of clients) t.match((await client.answer()).head, 'Connection: close\r\n')
  for (const client of clients) client.socket.end()
  await done
})

t.test('says that a port is taken, as one thread does', async (t) => {
  const pod = await startPod(t, 'a')
  const first = await startFor(t, [pod])
  await t.rejects(
    startFor(t, [pod], {}, undefined, { threads: 2, bind: { host: '127.0.0.1', port: first.port } }),
    { code: 'ERR_LISTEN', field: '--bind-address' },
  )
})
