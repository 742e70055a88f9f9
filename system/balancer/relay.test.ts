// A request's way through a balancer in this process, to pods that behave and pods that do not.

import t from 'tap'
import {
  fakeNames,
  inFlight,
  post,
  RawClient,
  send,
  startFor,
  startPod,
  startRawPod,
  takers,
  totals,
  until,
} from './test-support.ts'
import { idleMs } from './upstream.ts'

const execute = '{"jsonrpc":"2.0","id":"call-1","method":"components/execute","params":{"x":"ü"}}'

t.test('forwards a request and its answer, with the fields of the wire specification', async (t) => {
  const pod = await startPod(t, 'pod-a')
  const balancer = await startFor(t, [pod])
  const answer = await send(t, balancer.port, post(execute, 'x-custom:  spaced \r\n', '/a/b?c=d'))
  t.equal(answer.status, 200)
  t.equal(answer.body, '{"pod":"pod-a"}')
  t.match(answer.head.toLowerCase(), 'stepflow-instance-id: pod-a')
  t.notMatch(answer.head, /X-Stepflow-Routed-Instance|Connection/i)
  const request = pod.requests[0]!
  t.equal(request.method, 'POST')
  t.equal(request.url, '/a/b?c=d')
  t.equal(request.headers['x-forwarded-by'], 'stepflow-load-balancer')
  t.equal(request.headers['host'], 'pods')
  t.equal(request.headers['via'], '1.1 balancer-test')
  t.equal(request.headers['x-custom'], 'spaced')
  t.equal(pod.bodies[0], execute)
})

t.test('reuses connections on both sides', async (t) => {
  let connections = 0
  const pod = await startRawPod(t, 'pod-a', (socket) => {
    connections++
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  for (let request = 0; request < 5; request++) {
    client.write(post(execute))
    t.equal((await client.answer()).body, 'ok')
  }
  t.equal(connections, 1)
})

t.test('spreads new work evenly and counts it exactly', async (t) => {
  const pods = [await startPod(t, 'a'), await startPod(t, 'b'), await startPod(t, 'c')]
  const balancer = await startFor(t, pods)
  const client = new RawClient(t, balancer.port)
  for (let request = 0; request < 30; request++) {
    client.write(post(execute))
    await client.answer()
  }
  t.same(
    pods.map((pod) => pod.bodies.length),
    [10, 10, 10],
  )
  t.equal(inFlight(balancer), 0)
  const text = await balancer.registry.metrics()
  t.match(text, `stepflow_lb_requests_total{backend="${pods[0]!.key}",status="200",method="POST"} 10`)
  t.match(text, `stepflow_lb_request_duration_ms_count{backend="${pods[0]!.key}",method="POST"} 10`)
})

t.test('streams every event at once, unbuffered, in whole characters', async (t) => {
  let write: (bytes: Buffer) => void = () => {}
  const pod = await startPod(t, 'pod-a', (_request, _body, response) => {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'max-age=9',
    })
    response.flushHeaders()
    write = (bytes) => response.write(bytes)
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  await client.until(() => client.received.includes('\r\n\r\n'))
  t.match(client.received, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(client.received, /X-Accel-Buffering: no\r\nCache-Control: no-cache\r\n/)
  t.notMatch(client.received, /max-age/)
  client.received = ''
  write(Buffer.from('data: {"a":1}\n\n'))
  await client.until(() => client.received === 'f\r\ndata: {"a":1}\n\n\r\n')
  client.received = ''
  const event = Buffer.from('data: "ü"\n\n')
  write(event.subarray(0, 8))
  await client.until(() => client.received === '7\r\ndata: "\r\n')
  client.received = ''
  write(event.subarray(8))
  await client.until(() => client.received === `5\r\n${event.toString('latin1', 7)}\r\n`)
  t.equal((await totals(balancer)).openStreams, 1)
  t.equal(inFlight(balancer), 1)
})

t.test('routes an instance id to its pod, learned from health checks, and to no other', async (t) => {
  const pods = [await startPod(t, 'a'), await startPod(t, 'b')]
  const balancer = await startFor(t, pods)
  for (let request = 0; request < 6; request++) {
    const answer = await send(t, balancer.port, post(execute, 'Stepflow-Instance-Id: b\r\n'))
    t.match(answer.head, /X-Stepflow-Routed-Instance: b\r\n/)
    t.equal(answer.body, '{"pod":"b"}')
  }
  t.equal(pods[0]!.bodies.length, 0)
  t.equal(pods[1]!.bodies.length, 6)
})

t.test('finds the pod of an id nobody has told it yet, by asking', async (t) => {
  const known = await startPod(t, 'a')
  const names = fakeNames([known])
  const balancer = await startFor(t, [known], {}, names.resolve)
  const fresh = await startPod(t, 'brand-new')
  names.set([known, fresh])
  const answer = await send(t, balancer.port, post(execute, 'Stepflow-Instance-Id: brand-new\r\n'))
  t.equal(answer.body, '{"pod":"brand-new"}')
})

t.test('answers 503 with the reason and the id where the instance is unknown', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod])
  const answer = await send(t, balancer.port, post(execute, 'Stepflow-Instance-Id: nobody\r\n'))
  t.equal(answer.status, 503)
  t.notMatch(answer.head, /Retry-After/i)
  t.match(JSON.parse(answer.body), {
    jsonrpc: '2.0',
    id: 'call-1',
    error: { code: -32000, data: { reason: 'unknown', instanceId: 'nobody' } },
  })
  t.equal(pod.bodies.length, 0)
})

t.test('answers "gone" for the instance of a pod that died, while others live', async (t) => {
  const pods = [await startPod(t, 'a'), await startPod(t, 'b')]
  const balancer = await startFor(t, pods)
  await pods[1]!.kill()
  const answer = await send(t, balancer.port, post(execute, 'Stepflow-Instance-Id: b\r\n'))
  t.equal(answer.status, 503)
  t.match(JSON.parse(answer.body), { id: 'call-1', error: { data: { reason: 'gone' } } })
  t.equal(pods[0]!.bodies.length, 0)
})

t.test('reaches a pod that left the name for callbacks, but gives it no new work', async (t) => {
  const pods = [await startPod(t, 'a'), await startPod(t, 'b')]
  const names = fakeNames(pods)
  const balancer = await startFor(t, pods, {}, names.resolve)
  names.set([pods[0]!])
  await until(() => takers(balancer).length === 1)
  for (let request = 0; request < 4; request++) await send(t, balancer.port, post(execute))
  t.equal(pods[1]!.bodies.length, 0)
  const answer = await send(t, balancer.port, post(execute, 'Stepflow-Instance-Id: b\r\n'))
  t.equal(answer.body, '{"pod":"b"}')
})

t.test('keeps the last good set when resolving fails or comes back empty', async (t) => {
  const pod = await startPod(t, 'a')
  const names = fakeNames([pod])
  const balancer = await startFor(t, [pod], {}, names.resolve)
  for (const answer of [new Error('ESERVFAIL'), []]) {
    names.set(answer)
    const failures = async () => {
      const text = await balancer.registry.metrics()
      return Number(/^stepflow_lb_discovery_failures_total (\d+)/m.exec(text)?.[1])
    }
    const before = await failures()
    await until(async () => (await failures()) > before)
    t.equal((await send(t, balancer.port, post(execute))).status, 200)
  }
})

t.test('sends new work elsewhere when a pod refuses, and not a byte twice', async (t) => {
  const pods = [await startPod(t, 'a'), await startPod(t, 'b')]
  // Health checks are rare here: the relay itself finds out.
  const balancer = await startFor(t, pods, { probeIntervalMs: 60_000 })
  await pods[0]!.kill()
  for (let request = 0; request < 6; request++) {
    t.equal((await send(t, balancer.port, post(execute))).status, 200)
  }
  t.equal(pods[1]!.bodies.length, 6)
  t.equal(takers(balancer).length, 1)
  t.equal(inFlight(balancer), 0)
})

t.test('answers 503 no_backend where no pod takes work', async (t) => {
  const balancer = await startFor(t, [])
  const answer = await send(t, balancer.port, post(execute))
  t.equal(answer.status, 503)
  t.match(JSON.parse(answer.body), { id: 'call-1', error: { code: -32000, data: { reason: 'no_backend' } } })
})

t.test('never repeats a request of which bytes were sent', async (t) => {
  let received = 0
  const pod = await startRawPod(t, 'pod-a', (socket) => {
    received++
    socket.resetAndDestroy()
  })
  const other = await startRawPod(t, 'pod-b', (socket) => {
    received++
    socket.resetAndDestroy()
  })
  const balancer = await startFor(t, [pod, other], { probeIntervalMs: 60_000 })
  const answer = await send(t, balancer.port, post(execute))
  t.equal(answer.status, 502)
  t.match(JSON.parse(answer.body), { id: 'call-1', error: { data: { reason: 'reset' } } })
  t.equal(received, 1)
})

t.test('ends a stream whose pod died with an error event and without a last chunk', async (t) => {
  const pod = await startRawPod(t, 'pod-a', (socket) => {
    socket.write(
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n',
    )
    socket.on('data', () => {})
    setTimeout(() => socket.resetAndDestroy(), 20)
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  const text = await client.rest()
  t.notMatch(text, /\r\n0\r\n/)
  const [, event = ''] = /\n\ndata: (\{.*\})\n\n\r\n$/.exec(text) ?? []
  t.match(JSON.parse(event), {
    jsonrpc: '2.0',
    id: 'call-1',
    error: { code: -32000, data: { reason: 'reset' } },
  })
})

t.test('breaks off a plain answer whose pod died, short of its length', async (t) => {
  const pod = await startRawPod(t, 'pod-a', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')
    setTimeout(() => socket.destroy(), 20)
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  t.match(await client.rest(), /\r\n\r\nabc$/)
  t.equal((await totals(balancer)).brokenAnswers, 1)
})

t.test('tells the pod at once when the client leaves', async (t) => {
  let closed = false
  const pod = await startPod(t, 'pod-a', (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    response.on('close', () => {
      closed = true
    })
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  await client.until(() => client.received.includes('data: 1'))
  client.socket.destroy()
  await until(() => closed)
  await until(() => inFlight(balancer) === 0)
  t.equal((await totals(balancer)).openStreams, 0)
})

t.test('forwards long bodies both ways unchanged, by length and by chunks', async (t) => {
  const pod = await startPod(t, 'pod-a', (request, body, response) => {
    if (request.headers['transfer-encoding'] === undefined) {
      response.setHeader('content-length', Buffer.byteLength(body))
    }
    response.end(body)
  })
  const balancer = await startFor(t, [pod])
  const body = 'äx'.repeat(400_000)
  for (const framed of [false, true]) {
    const response = await fetch(`http://127.0.0.1:${balancer.port}/`, {
      method: 'POST',
      headers: { 'x-test': '1' },
      ...(framed ? { body: new Blob([body]).stream(), duplex: 'half' } : { body }),
    } as RequestInit)
    t.equal((await response.text()) === body, true)
  }
})

t.test('serves pipelined requests one after the other', async (t) => {
  const pod = await startPod(t, 'pod-a', (_request, body, response) => {
    setTimeout(() => response.end(body), body === '"1"' ? 30 : 0)
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(post('"1"') + post('"2"') + post('"3"'))
  t.equal((await client.answer()).body, '"1"')
  t.equal((await client.answer()).body, '"2"')
  t.equal((await client.answer()).body, '"3"')
})

t.test('drains: answers say close, idle connections go, open streams end by themselves', async (t) => {
  let finish: () => void = () => {}
  const pod = await startPod(t, 'pod-a', (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    finish = () => response.end('data: 2\n\n')
  })
  const balancer = await startFor(t, [pod], { drainIdleMs: 100 })
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  await client.until(() => client.received.includes('data: 1'))
  t.equal(balancer.notReady(), null)
  balancer.announceDrain()
  t.equal(balancer.notReady(), 'draining')
  const drained = balancer.drain()
  finish()
  t.match(await client.rest(), /data: 2\n\n\r\n0\r\n\r\n$/)
  client.socket.destroy()
  await drained
})

t.test(
  'a pod that takes no more work loses its idle connections at once, and callbacks still reach it',
  async (t) => {
    let finish: () => void = () => {}
    const pod = await startPod(t, 'pod-a', (_request, body, response) => {
      if (body !== 'stream') {
        response.end(body)
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      finish = () => response.end('data: 2\n\n')
    })
    const other = await startPod(t, 'pod-b')
    const names = fakeNames([pod, other])
    const balancer = await startFor(t, [pod, other], {}, names.resolve)
    const toPod = (body: string): string => post(body, 'Stepflow-Instance-Id: pod-a\r\n')
    const client = new RawClient(t, balancer.port)
    client.write(toPod('stream'))
    await client.until(() => client.received.includes('data: 1'))
    await send(t, balancer.port, toPod('"1"'))
    const idle = pod.requests.at(-1)!.socket
    t.notOk(idle.destroyed, 'kept for the next request')

    names.set([other])
    const from = performance.now()
    await until(() => idle.destroyed)
    t.ok(performance.now() - from < idleMs / 2, 'not when its idle time is up')
    const reply = await send(t, balancer.port, toPod('"2"'))
    t.equal(reply.body, '"2"')
    const last = pod.requests.at(-1)!.socket
    await until(() => last.destroyed, idleMs / 2)
    finish()
    t.match((await client.answer()).body, /data: 2/)
  },
)
