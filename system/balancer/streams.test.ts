// Streams with callbacks through a whole balancer: shared fate, heartbeats, silence.

import type { ServerResponse } from 'node:http'
import t from 'tap'
import type { Resolve } from '../program/resolve.ts'
import {
  fakeNames,
  type Owner,
  post,
  RawClient,
  send,
  startFor,
  startPod,
  totals,
  until,
} from './test-support.ts'

const execute = '{"jsonrpc":"2.0","id":"call-1","method":"components/execute","params":{}}'
const callback = 'data: {"jsonrpc":"2.0","id":"cb-1","method":"blobs/put","params":{}}\n\n'
const reply = '{"jsonrpc":"2.0","id":"cb-1","result":{"blob_id":"x"}}'

/** A pod that opens a stream for every execute and tells of each; replies get 202. */
async function startStreamer(owner: Owner, instanceId: string) {
  const streams: ServerResponse[] = []
  const pod = await startPod(owner, instanceId, (_request, body, response) => {
    if (body !== execute) {
      response.writeHead(202).end('""')
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(callback)
    streams.push(response)
  })
  return { pod, streams }
}

function lastEvent(text: string): unknown {
  const [, json = 'null'] = /data: (\{[^\n]*\})\n\n\r\n$/.exec(text) ?? []
  return JSON.parse(json)
}

t.test('delivers a reply to the pod, and the stream goes on', async (t) => {
  const { pod, streams } = await startStreamer(t, 'a')
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  await client.until(() => client.received.includes('cb-1'))
  const answer = await send(t, balancer.port, post(reply, 'Stepflow-Instance-Id: a\r\n'))
  t.equal(answer.status, 202)
  streams[0]!.end('data: {"jsonrpc":"2.0","id":"call-1","result":{}}\n\n')
  t.match((await client.answer()).body, /"result":\{\}\}\n\n\r\n0\r\n\r\n$/)
  t.equal((await totals(balancer)).lostCallbacks, 0)
})

for (const threads of [1, 2]) {
  t.test(
    `ends the stream that waits for a reply which cannot be delivered (${threads} threads)`,
    async (t) => {
      const { pod } = await startStreamer(t, 'a')
      const names = fakeNames([pod])
      const balancer = await startFor(
        t,
        [pod],
        { connectTimeoutMs: 300, probeIntervalMs: 60_000 },
        names.resolve,
        {
          threads,
        },
      )
      // Several streams, so that with two threads some reply is read by another thread than its stream.
      const clients = Array.from({ length: 6 }, () => new RawClient(t, balancer.port))
      for (const client of clients) client.write(post(execute))
      for (const client of clients) await client.until(() => client.received.includes('cb-1'))
      // The listener goes, the streams stay: the pod cannot be reached for the reply.
      await pod.stopListening()
      for (let attempt = 0; attempt < 6; attempt++) {
        const answer = await send(t, balancer.port, post(reply, 'Stepflow-Instance-Id: a\r\n'))
        t.equal(answer.status, 503)
        t.match(JSON.parse(answer.body), { id: 'cb-1', error: { data: { reason: 'gone' } } })
        if ((await totals(balancer)).lostCallbacks > 0) break
      }
      await until(() => clients.some((client) => client.ended))
      const ended = clients.find((client) => client.ended)!
      t.match(lastEvent(ended.received), { id: 'call-1', error: { code: -32000, data: { reason: 'gone' } } })
      t.notMatch(ended.received, '\r\n0\r\n\r\n')
    },
  )
}

t.test('writes comments into a silent stream, between events only', async (t) => {
  const { pod, streams } = await startStreamer(t, 'a')
  const balancer = await startFor(t, [pod], { heartbeatMs: 60 })
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  await client.until(() => client.received.endsWith('8\r\n: ping\n\n\r\n8\r\n: ping\n\n\r\n'))
  streams[0]!.write('data: half')
  await client.until(() => client.received.endsWith('data: half\r\n'))
  const { heartbeats } = await totals(balancer)
  await new Promise((resolve) => setTimeout(resolve, 200))
  t.equal((await totals(balancer)).heartbeats, heartbeats)
  streams[0]!.write('\n\n')
  await client.until(() => client.received.endsWith('2\r\n\n\n\r\n8\r\n: ping\n\n\r\n'))
})

t.test('ends a stream that is silent for too long, if so configured', async (t) => {
  const { pod } = await startStreamer(t, 'a')
  const balancer = await startFor(t, [pod], { streamIdleMs: 150, heartbeatMs: 60 })
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  t.match(lastEvent(await client.rest()), { id: 'call-1', error: { data: { reason: 'timeout' } } })
  t.match(client.received, ': ping\n\n')
})

t.test('does not touch a silent stream by default', async (t) => {
  const { pod } = await startStreamer(t, 'a')
  const balancer = await startFor(t, [pod], {
    keepAliveMs: 100,
    headTimeoutMs: 100,
    bodyTimeoutMs: 100,
    stallTimeoutMs: 100,
  })
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  await client.until(() => client.received.includes('cb-1'))
  const { received } = client
  await new Promise((resolve) => setTimeout(resolve, 400))
  t.equal(client.received, received)
  t.equal(client.ended, false)
})

t.test('each of two replicas routes replies for the streams that the other one opened', async (t) => {
  const servers = [await startStreamer(t, 'a'), await startStreamer(t, 'b')]
  const pods = servers.map(({ pod }) => pod)
  const replicas = [await startFor(t, pods), await startFor(t, pods)]
  for (const [index, opener] of replicas.entries()) {
    const other = replicas[1 - index]!
    const clients = [new RawClient(t, opener.port), new RawClient(t, opener.port)]
    for (const client of clients) {
      client.write(post(execute))
      await client.until(() => client.received.includes('cb-1'))
      const [, instanceId = ''] = /stepflow-instance-id: (\w)/i.exec(client.received) ?? []
      const { pod } = servers.find((server) => server.pod.instanceId === instanceId)!
      const before = pods.map(({ bodies }) => bodies.length)
      const answer = await send(t, other.port, post(reply, `Stepflow-Instance-Id: ${instanceId}\r\n`))
      t.equal(answer.status, 202)
      t.same(
        pods.map(({ bodies }, at) => bodies.length - before[at]!),
        pods.map((one) => (one === pod ? 1 : 0)),
      )
    }
  }
  for (const { streams } of servers) for (const stream of streams) stream.end()
})

t.test('routes a callback to a pod that left its name before this balancer ever saw it there', async (t) => {
  const { pod: ready } = await startStreamer(t, 'ready')
  const { pod: leaving, streams } = await startStreamer(t, 'leaving')
  const all = [ready, leaving].map(({ port }) => ({ address: '127.0.0.1', port }))
  // The second name has the pods that terminate, too.
  const resolve: Resolve = async (host) => ({
    endpoints: host === 'all.test' ? all : all.slice(0, 1),
    ttlSeconds: 0,
  })
  const opener = await startFor(t, [leaving])
  const client = new RawClient(t, opener.port)
  client.write(post(execute))
  await client.until(() => client.received.includes('cb-1'))
  const other = await startFor(t, [ready], {}, resolve, { affinity: [{ host: 'all.test', port: 1 }] })
  const answer = await send(t, other.port, post(reply, 'Stepflow-Instance-Id: leaving\r\n'))
  t.equal(answer.status, 202)
  t.equal(leaving.bodies.at(-1), reply)
  // New work never goes there.
  for (let call = 0; call < 5; call++) await send(t, other.port, post(reply))
  t.equal(leaving.bodies.length, 2)
  for (const stream of streams) stream.end()
})
