// Hostile peers on both sides of a whole balancer: the stated answer, and nothing at the other side.

import type { Socket } from 'node:net'
import t from 'tap'
import { hostileAnswers, hostileChunks, hostileRequests } from './head/hostile.ts'
import {
  inFlight,
  type Owner,
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

const execute = '{"jsonrpc":"2.0","id":"call-1","method":"components/execute","params":{}}'
const chunkedHead = 'POST / HTTP/1.1\r\nHost: pods\r\nTransfer-Encoding: chunked\r\n\r\n'

t.test('answers every hostile head with its status, closes, and no pod sees it', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod])
  for (const [name, [status, text]] of Object.entries(hostileRequests)) {
    const client = new RawClient(t, balancer.port)
    client.write(`${text}GET /smuggled HTTP/1.1\r\nHost: pods\r\n\r\n`)
    const answer = await client.answer()
    t.equal(answer.status, status, name)
    t.match(answer.head, 'Connection: close\r\n', name)
    t.match(JSON.parse(answer.body), { jsonrpc: '2.0', id: null, error: { code: -32600 } }, name)
    t.equal(await client.rest(), '', name)
  }
  t.equal(pod.requests.length, 0)
})

t.test('refuses every hostile chunk, whether it comes with the head or later', async (t) => {
  let whole = 0
  const pods: Socket[] = []
  const pod = await startRawPod(t, 'a', (socket, first) => {
    pods.push(socket)
    let text = first.toString('latin1')
    const look = () => {
      if (/\r\n0\r\n\r\n$/.test(text)) whole++
    }
    look()
    socket.on('data', (more) => {
      text += more.toString('latin1')
      look()
    })
  })
  const balancer = await startFor(t, [pod])
  for (const [name, text] of Object.entries(hostileChunks)) {
    const client = new RawClient(t, balancer.port)
    client.write(chunkedHead + text)
    t.equal((await client.answer()).status, 400, name)
    t.equal(pods.length, 0, name)
  }
  for (const [name, text] of Object.entries(hostileChunks)) {
    const client = new RawClient(t, balancer.port)
    client.write(`${chunkedHead}3\r\nabc\r\n`)
    await until(() => pods.length === 1)
    client.write(text)
    t.equal((await client.answer()).status, 400, name)
    // The pod must not wait for the rest of a request that will never come.
    await until(() => pods[0]!.closed || pods[0]!.readableEnded)
    pods.pop()
  }
  t.equal(whole, 0)
})

t.test(
  'answers 502 where a pod answers with a hostile head, and never uses that connection again',
  async (t) => {
    let answer = ''
    const sockets: Socket[] = []
    const pod = await startRawPod(t, 'a', (socket) => {
      sockets.push(socket)
      socket.write(answer, 'latin1')
    })
    const balancer = await startFor(t, [pod])
    const cases = {
      ...hostileAnswers,
      'more bytes than its length': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n',
      'bytes behind an answer without body': 'HTTP/1.1 204 No Content\r\n\r\nx',
      'bytes behind its last chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx',
      'a malformed chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n',
      'an upgrade nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
      'endless interim answers': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20),
    }
    for (const [name, text] of Object.entries(cases)) {
      answer = text
      const got = await send(t, balancer.port, post(execute))
      t.equal(got.status, 502, name)
      t.match(JSON.parse(got.body), { id: 'call-1', error: { data: { reason: 'bad_answer' } } }, name)
      await until(() => sockets.at(-1)!.closed || sockets.at(-1)!.readableEnded)
    }
    t.equal(sockets.length, Object.keys(cases).length)
    t.equal(takers(balancer).length, 1)
  },
)

t.test('takes no hostile chunk from a pod, whether it comes with the head or later', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  let [before, later] = ['', '']
  const sockets: Socket[] = []
  const pod = await startRawPod(t, 'a', (socket) => {
    sockets.push(socket)
    socket.write(head + before, 'latin1')
    // Not before the client has the start of the answer.
    if (later !== '') setTimeout(() => socket.write(later, 'latin1'), 20)
  })
  const balancer = await startFor(t, [pod])
  const left = () => until(() => sockets.at(-1)!.closed || sockets.at(-1)!.readableEnded)
  for (const [name, text] of Object.entries(hostileChunks)) {
    before = text
    later = ''
    const refused = await send(t, balancer.port, post(execute))
    t.equal(refused.status, 502, name)
    t.match(JSON.parse(refused.body), { id: 'call-1', error: { data: { reason: 'bad_answer' } } }, name)
    await left()
    before = '3\r\nabc\r\n'
    later = text
    const client = new RawClient(t, balancer.port)
    client.write(post(execute))
    const cut = await client.rest()
    t.match(cut, /\r\n\r\n3\r\nabc\r\n/, name)
    t.notMatch(cut, /\r\n0\r\n/, name)
    await left()
  }
  t.equal(sockets.length, 2 * Object.keys(hostileChunks).length)
})

t.test('cuts an answer whose chunks go wrong after its head, without a last chunk', async (t) => {
  for (const wrong of ['2\r\nabc', '\r\n', 'zz\r\n']) {
    const pod = await startRawPod(t, 'a', (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n')
      setTimeout(() => socket.write(wrong), 10)
    })
    const balancer = await startFor(t, [pod])
    const client = new RawClient(t, balancer.port)
    client.write(post(execute))
    const text = await client.rest()
    t.match(text, /^HTTP\/1\.1 200 OK\r\n/)
    t.match(text, '\r\n\r\n2\r\nok\r\n')
    t.notMatch(text, '\r\n0\r\n')
  }
})

t.test('ends an answer cut in mid-chunk without a last chunk', async (t) => {
  const pod = await startRawPod(t, 'a', (socket) => {
    socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab')
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  t.match(await client.rest(), /\r\n\r\n2\r\nab\r\n$/)
})

t.test('drops what a pod says between answers, with its connection', async (t) => {
  let connections = 0
  const pod = await startRawPod(t, 'a', (socket) => {
    connections++
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'), 10)
    socket.on('data', () => {})
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(post(execute))
  t.equal((await client.answer()).body, 'ok')
  await until(async () => (await totals(balancer)).podConnections === 0)
  client.write(post(execute))
  t.equal((await client.answer()).body, 'ok')
  t.equal(connections, 2)
})

t.test('bounds bodies: 413, by length before a pod sees it, by chunks in the middle', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod], { maxBodyBytes: 1000 })
  t.equal((await send(t, balancer.port, post('x'.repeat(1001)))).status, 413)
  t.equal((await send(t, balancer.port, post('x'.repeat(1000)))).status, 200)
  const chunk = `258\r\n${'x'.repeat(600)}\r\n`
  t.equal((await send(t, balancer.port, chunkedHead + chunk + chunk)).status, 413)
  t.equal(pod.requests.length, 1)
})

t.test('gives slow heads and slow bodies 408', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod], { headTimeoutMs: 200, bodyTimeoutMs: 200 })
  const slowHead = new RawClient(t, balancer.port)
  slowHead.write('POST / HTTP/1.1\r\nHo')
  t.equal((await slowHead.answer()).status, 408)
  // A drip does not push the deadline of a head back.
  const drip = new RawClient(t, balancer.port)
  const timer = setInterval(() => drip.write('x'), 40)
  t.equal((await drip.answer()).status, 408)
  clearInterval(timer)
  const slowBody = new RawClient(t, balancer.port)
  slowBody.write(post(execute).slice(0, -10))
  const answer = await slowBody.answer()
  t.equal(answer.status, 408)
  t.match(JSON.parse(answer.body), { id: 'call-1' })
  t.equal(pod.requests.length, 0)
  t.equal(inFlight(balancer), 0)
})

t.test('gives a body that drips 408, and one that is slow but fast enough its answer', async (t) => {
  const pod = await startPod(t, 'a', (_request, body, response) => {
    response.end(String(body.length))
  })
  const balancer = await startFor(t, [pod], { bodyTimeoutMs: 300, minBodyBytesPerSecond: 1_000 })
  const sendEvery = async (bytes: number) => {
    const client = new RawClient(t, balancer.port)
    client.write(post('x'.repeat(1_000)).slice(0, -1_000))
    let left = 1_000
    const timer = setInterval(() => {
      if (left > 0) client.write('x'.repeat(Math.min(left, bytes)))
      left -= bytes
    }, 50)
    const answer = await client.answer()
    clearInterval(timer)
    return answer
  }
  const [drip, slow] = await Promise.all([sendEvery(5), sendEvery(100)])
  t.equal(drip.status, 408)
  t.equal(slow.body, '1000')
})

t.test('does not blame the client for a pod that takes its body slowly', async (t) => {
  const body = 'x'.repeat(20_000_000)
  let paused = true
  const pod = await startRawPod(t, 'a', (socket, first) => {
    let length = first.length
    socket.pause()
    setTimeout(() => {
      paused = false
      socket.resume()
    }, 1_000)
    socket.on('data', (more) => {
      length += more.length
      if (length > body.length) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const balancer = await startFor(t, [pod], { bodyTimeoutMs: 200, probeIntervalMs: 60_000 })
  const client = new RawClient(t, balancer.port)
  client.write(post(body))
  const answer = await client.answer()
  t.equal(paused, false)
  t.equal(answer.body, 'ok')
})

t.test(
  'drops a client that sends on and does not read, though its pod has stopped reading too',
  async (t) => {
    const pod = await startRawPod(t, 'a', (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      const fill = () => {
        while (socket.write(`3e80\r\n${'x'.repeat(16_000)}\r\n`));
      }
      socket.on('drain', fill)
      socket.pause()
      fill()
    })
    const balancer = await startFor(t, [pod], { stallTimeoutMs: 300, probeIntervalMs: 60_000 })
    const client = new RawClient(t, balancer.port)
    client.socket.pause()
    client.write(post('x'.repeat(40_000_000)))
    await until(async () => (await totals(balancer)).clientConnections === 1)
    await until(async () => (await totals(balancer)).clientConnections === 0)
    t.equal(inFlight(balancer), 0)
  },
)

t.test('gives up on a pod that takes nothing of a body any more', async (t) => {
  const pod = await startRawPod(t, 'a', (socket) => {
    socket.pause()
  })
  const balancer = await startFor(t, [pod], { stallTimeoutMs: 300, probeIntervalMs: 60_000 })
  const client = new RawClient(t, balancer.port)
  client.write(`${chunkedHead}${`3e80\r\n${'x'.repeat(16_000)}\r\n`.repeat(1_500)}`)
  const answer = await client.answer()
  t.equal(answer.status, 504)
  t.match(JSON.parse(answer.body), { error: { data: { reason: 'timeout' } } })
  await until(() => inFlight(balancer) === 0)
})

t.test('closes connections that stay idle', async (t) => {
  const pod = await startPod(t, 'a')
  const balancer = await startFor(t, [pod], { keepAliveMs: 100 })
  const silent = new RawClient(t, balancer.port)
  t.equal(await silent.rest(), '')
  const once = new RawClient(t, balancer.port)
  once.write(post(execute))
  await once.answer()
  t.equal(await once.rest(), '')
})

t.test('never misframes a body that came with Expect, and answers 100 itself', async (t) => {
  const pod = await startPod(t, 'a', (_request, body, response) => {
    response.end(body)
  })
  const balancer = await startFor(t, [pod])
  const expecting = post(execute, 'Expect: 100-continue\r\n')
  const client = new RawClient(t, balancer.port)
  client.write(expecting.slice(0, -execute.length))
  await client.until(() => client.received === 'HTTP/1.1 100 Continue\r\n\r\n')
  client.received = ''
  client.write(execute)
  t.equal((await client.answer()).body, execute)
  client.write(expecting + post('"next"'))
  t.equal((await client.answer()).body, execute)
  t.equal((await client.answer()).body, '"next"')
  t.notOk(pod.requests.some((request) => 'expect' in request.headers))
})

t.test('closes after an answer that came before the body was read', async (t) => {
  const pod = await startRawPod(t, 'a', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly')
    socket.on('data', () => {})
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(`POST / HTTP/1.1\r\nHost: pods\r\nContent-Length: 50\r\n\r\nabc`)
  const answer = await client.answer()
  t.equal(answer.body, 'early')
  t.match(answer.head, 'Connection: close\r\n')
  client.write('GET /smuggled HTTP/1.1\r\nHost: pods\r\n\r\n')
  t.equal(await client.rest(), '')
})

t.test('strips an Upgrade and forwards the body by its own framing', async (t) => {
  const pod = await startPod(t, 'a', (_request, body, response) => {
    response.end(body)
  })
  const balancer = await startFor(t, [pod])
  const answer = await send(t, balancer.port, post(execute, 'Connection: Upgrade\r\nUpgrade: websocket\r\n'))
  t.equal(answer.body, execute)
  t.notOk('upgrade' in pod.requests[0]!.headers)
})

t.test('drops trailers, and serves the request behind them', async (t) => {
  const pod = await startPod(t, 'a', (request, body, response) => {
    response.end(`${body} ${JSON.stringify(request.trailers)}`)
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(`${chunkedHead}2;x=y\r\nok\r\n0\r\nEvil: 1\r\n\r\n${post('"next"')}`)
  t.equal((await client.answer()).body, 'ok {}')
  t.equal((await client.answer()).body, '"next" {}')
})

t.test('speaks to HTTP/1.0 clients without chunks, and closes', async (t) => {
  const pod = await startPod(t, 'a', (_request, _body, response) => {
    response.write('one')
    response.end('two')
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write('GET / HTTP/1.0\r\n\r\n')
  const text = await client.rest()
  t.match(text, /Connection: close\r\n\r\nonetwo$/)
  t.notMatch(text, /chunked/i)
})

t.test('resets an HTTP/1.0 client whose answer breaks off: only that shows it', async (t) => {
  const pod = await startRawPod(t, 'a', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
    setTimeout(() => socket.destroy(), 20)
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write('GET / HTTP/1.0\r\n\r\n')
  await client.until(() => client.closed)
  t.equal(client.error?.code, 'ECONNRESET')
})

t.test('gives no length with 204, whatever the pod says', async (t) => {
  const pod = await startRawPod(t, 'a', (socket) => {
    const answer = 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'
    socket.write(answer)
    socket.on('data', () => socket.write(answer))
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  for (let call = 0; call < 3; call++) {
    client.write(post(execute))
    await client.until(() => client.received.endsWith('\r\n\r\n'))
    t.equal(client.received, 'HTTP/1.1 204 No Content\r\n\r\n')
    client.received = ''
  }
})

t.test('answers HEAD with the head alone', async (t) => {
  const pod = await startPod(t, 'a', (_request, body, response) => {
    response.setHeader('content-length', 7)
    response.end(body)
  })
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.write(`HEAD / HTTP/1.1\r\nHost: pods\r\n\r\n`)
  await client.until(() => client.received.endsWith('\r\n\r\n'))
  t.match(client.received, 'Content-Length: 7\r\n')
  client.received = ''
  client.write('HEAD / HTTP/1.1\r\nHost: pods\r\nStepflow-Instance-Id: nobody\r\n\r\n')
  await client.until(() => client.received.endsWith('\r\n\r\n'))
  t.match(client.received, /^HTTP\/1\.1 503 /)
})

t.test(
  'pauses the pod of a reader that stalls, in bounded memory, and drops the reader in the end',
  async (t) => {
    let written = 0
    let closed = false
    const pod = await startPod(t, 'a', (_request, _body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const event = `data: ${'x'.repeat(16_000)}\n\n`
      const fill = () => {
        while (!closed && response.write(event)) written += event.length
      }
      response.on('drain', fill)
      response.on('close', () => {
        closed = true
      })
      fill()
    })
    const balancer = await startFor(t, [pod], { stallTimeoutMs: 1_000 })
    const client = new RawClient(t, balancer.port)
    client.socket.pause()
    client.write(post(execute))
    let last = -1
    // Once nothing more is written the pod is paused.
    while (written !== last || written === 0) {
      last = written
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    t.equal(closed, false)
    // Kernel buffers of two connections, and ours.
    t.ok(written < 32_000_000, `${written} bytes`)
    await until(() => closed)
    await until(async () => (await totals(balancer)).openStreams === 0)
  },
)

/** A pod that answers each request with 4,000 bytes of its own; all answers have the same head. */
async function startNumbering(owner: Owner) {
  return startPod(owner, 'a', (_request, body, response) => {
    response.sendDate = false
    response.end(body.padEnd(4_000, `${body} `))
  })
}

const pipelined = 2_500
const numbered = Array.from({ length: pipelined }, (_, index) => post(String(index))).join('')

t.test(
  'gives no further answers to a client that sends on and on without reading, and drops it',
  async (t) => {
    const pod = await startNumbering(t)
    const balancer = await startFor(t, [pod], { stallTimeoutMs: 200 })
    const client = new RawClient(t, balancer.port)
    client.socket.pause()
    client.write(numbered)
    await until(() => pod.bodies.length > 0)
    await until(async () => (await totals(balancer)).clientConnections === 0)
    t.ok(pod.bodies.length < pipelined, `${pod.bodies.length} answers`)
  },
)

t.test('a client that pauses amid many answers gets each of them whole and in order', async (t) => {
  const pod = await startNumbering(t)
  const balancer = await startFor(t, [pod])
  const client = new RawClient(t, balancer.port)
  client.socket.pause()
  client.write(numbered)
  let last = -1
  // Once no further request comes, answers wait in the balancer.
  while (pod.bodies.length !== last || last === 0) {
    last = pod.bodies.length
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  t.ok(last < pipelined, `${last} answers`)
  client.socket.resume()
  const bodyOf = (index: number) => String(index).padEnd(4_000, `${index} `)
  await client.until(() => client.received.length > 0)
  const headBytes = client.received.indexOf('\r\n\r\n') + 4
  await client.until(() => client.received.length === pipelined * (headBytes + 4_000))
  const bodies = client.received.split(/HTTP\/1\.1 200 .*?\r\n\r\n/s).slice(1)
  t.equal(
    bodies.findIndex((body, index) => body !== bodyOf(index)),
    -1,
  )
})
