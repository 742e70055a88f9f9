// Limits, and what happens at them.

import t from 'tap'
import { connectionsAllowed, defaultLimits } from './limits.ts'
import { post, RawClient, startFor, startPod, totals, until } from './test-support.ts'

t.test('leaves descriptors for what is no relayed connection', async (t) => {
  const text =
    'Limit  Soft Limit  Hard Limit  Units\nMax open files            20000                20000                files\n'
  t.equal(connectionsAllowed(text, 1), 19_872)
  t.equal(connectionsAllowed(text, 2), 9_936)
  t.equal(connectionsAllowed('', 1), defaultLimits.maxConnections)
})

t.test('when connections run out new clients get 503, and open streams are unhurt', async (t) => {
  const streams: ((text: string) => void)[] = []
  const pod = await startPod(t, 'a', (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 0\n\n')
    streams.push((text) => response.write(text))
  })
  // 32 are kept for the pods.
  const balancer = await startFor(t, [pod], { maxConnections: 52 })
  const clients = Array.from({ length: 10 }, () => new RawClient(t, balancer.port))
  for (const client of clients) {
    client.write(post('{}'))
    await client.until(() => client.received.includes('data: 0'))
  }
  const late = new RawClient(t, balancer.port)
  const answer = await late.answer()
  t.equal(answer.status, 503)
  t.match(JSON.parse(answer.body), { error: { data: { reason: 'limit' } } })
  for (const write of streams) write('data: 1\n\n')
  for (const client of clients) await client.until(() => client.received.includes('data: 1'))
  clients[0]!.socket.destroy()
  await until(async () => (await totals(balancer)).clientConnections === 9)
  const next = new RawClient(t, balancer.port)
  next.write(post('{}'))
  await next.until(() => next.received.includes('data: 0'))
})

t.test('thousands of idle connections cost no request its answer', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod])
  const idle = Array.from({ length: 1_000 }, () => new RawClient(t, balancer.port))
  await until(async () => (await totals(balancer)).clientConnections === idle.length)
  const client = new RawClient(t, balancer.port)
  client.write(post('{}'))
  t.equal((await client.answer()).status, 200)
})
