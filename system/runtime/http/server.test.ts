// Tests of the HTTP server on real sockets: framing, order, limits, and what is refused.

import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import t from 'tap'
import { createHttpServer, type HttpReply, type HttpRequest, type HttpServerOptions } from './server.ts'

interface Teardown {
  teardown(end: () => void | Promise<void>): void
}

const echo = ({ head, body }: HttpRequest): HttpReply => ({
  status: 200,
  body: JSON.stringify({ method: head.method, target: head.target, body }),
})

const serve = async (t: Teardown, options: Partial<HttpServerOptions> = {}) => {
  const http = createHttpServer({
    maxBodyBytes: 1000,
    commonHead: 'x-common: 1\r\n',
    answer: echo,
    refuse: (status, body) => ({ status, body, type: 'text/plain' }),
    closing: () => false,
    ...options,
  })
  http.server.listen(0, '127.0.0.1')
  await once(http.server, 'listening')
  const { port } = http.server.address() as AddressInfo
  const sockets: Socket[] = []
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await http.close()
  })
  const open = (): Socket => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    socket.on('error', () => {})
    sockets.push(socket)
    return socket
  }
  /** Sends `parts` one by one and collects what comes until the connection ends. */
  const exchange = async (...parts: string[]): Promise<string> => {
    const socket = open()
    let got = ''
    socket.on('data', (text: string) => {
      got += text
    })
    const ended = once(socket, 'close')
    for (const part of parts) {
      socket.write(part, 'latin1')
      await new Promise((resolve) => setImmediate(resolve))
    }
    await ended
    return got
  }
  return { http, open, exchange }
}

const bodiesOf = (text: string): unknown[] =>
  (text.match(/\{"method.*?"\}/g) ?? []).map((body) => JSON.parse(body))
const last = 'GET /last HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n'

t.test('answers requests in their order, however the bytes come', async (t) => {
  const { exchange } = await serve(t)
  const text =
    'POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc' +
    'POST /b HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n' +
    last
  const expected = [
    { method: 'POST', target: '/a?x=1', body: 'abc' },
    { method: 'POST', target: '/b', body: 'def' },
    { method: 'GET', target: '/last', body: '' },
  ]
  t.same(bodiesOf(await exchange(text)), expected)
  t.same(bodiesOf(await exchange(...(text.match(/[\s\S]{1,7}/g) ?? []))), expected)
})

t.test('writes answers that say how long they are', async (t) => {
  const { exchange } = await serve(t, { answer: () => ({ status: 201, body: '"é"', headers: ['a', 'b'] }) })
  const text = await exchange(last)
  t.match(text, /^HTTP\/1\.1 201 Created\r\nx-common: 1\r\ncontent-type: application\/json\r\na: b\r\n/)
  t.match(text, /content-length: 4\r\ndate: .* GMT\r\n\r\n/)
  const head = await exchange(last.replace('GET', 'HEAD'))
  t.match(head, /content-length: 4\r\ndate: .* GMT\r\n\r\n$/)
})

t.test('answers late, and only then looks at the next request', async (t) => {
  const seen: string[] = []
  const answers: ((reply: HttpReply) => void)[] = []
  const { exchange } = await serve(t, {
    answer: ({ head }) => {
      seen.push(head.target)
      if (head.target === '/last') {
        t.same(seen, ['/slow', '/last'])
        return { status: 200, body: '2' }
      }
      return new Promise((resolve) => {
        answers.push(resolve)
        setImmediate(() => setImmediate(() => answers[0]?.({ status: 200, body: '1' })))
      })
    },
  })
  t.match(await exchange(`GET /slow HTTP/1.1\r\nhost: h\r\n\r\n${last}`), /\r\n\r\n1HTTP.*\r\n\r\n2$/s)
})

t.test('says 100 to those who wait for it', async (t) => {
  const { exchange } = await serve(t)
  const text = await exchange(
    'POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: 2\r\n\r\n',
    'ok',
  )
  t.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
})

t.test('closes after HTTP/1.0, after `close`, and when it ends', async (t) => {
  const { exchange } = await serve(t)
  t.match(await exchange('GET /x HTTP/1.0\r\n\r\n'), /connection: close\r\n/)
  const ending = await serve(t, { closing: () => true })
  t.match(await ending.exchange('GET /x HTTP/1.1\r\nhost: h\r\n\r\n'), /connection: close\r\n/)
})

t.test('ending closes idle connections and waits for answers', async (t) => {
  let answer = (_reply: HttpReply): void => {}
  let asked = (): void => {}
  const called = new Promise<void>((resolve) => {
    asked = resolve
  })
  let closing = false
  const { http, open, exchange } = await serve(t, {
    closing: () => closing,
    answer: () => {
      asked()
      return new Promise((resolve) => {
        answer = resolve
      })
    },
  })
  const idle = open()
  await once(idle, 'connect')
  const busy = exchange('GET /x HTTP/1.1\r\nhost: h\r\n\r\n')
  await called
  closing = true
  const ended = http.close()
  await once(idle, 'close')
  answer({ status: 200, body: 'done' })
  t.match(await busy, /done$/)
  await ended
})

t.test('ending loses no request that was on its way', async (t) => {
  let closing = false
  const { http, open } = await serve(t, {
    closing: () => closing,
    answer: () => ({ status: closing ? 503 : 200, body: 'x' }),
  })
  const kept = open()
  await once(kept, 'connect')
  const said = async (socket: Socket): Promise<string> => {
    let got = ''
    for await (const text of socket) got += text
    return got
  }
  closing = true
  const ended = http.close()
  const fresh = Array.from({ length: 50 }, open)
  for (const socket of fresh) socket.write('POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n')
  await once(fresh.at(-1)!, 'connect')
  // As on a machine that has no time for this process: all of them wait to be accepted when the socket closes.
  const until = Date.now() + 100
  while (Date.now() < until);
  for (const each of await Promise.all(fresh.map(said))) {
    t.match(each, /^HTTP\/1.1 503 .*connection: close/s, 'came before the socket was closed')
  }
  t.notOk(http.server.listening, 'answered once it was')
  kept.write('POST /b HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n')
  t.match(await said(kept), /^HTTP\/1.1 503 .*connection: close/s, 'came on a connection that stood')
  await ended
})

t.test('refuses what is malformed, ambiguous or too large, and closes', async (t) => {
  const { exchange } = await serve(t)
  const get = 'GET / HTTP/1.1\r\nhost: h\r\n'
  const post = 'POST / HTTP/1.1\r\nhost: h\r\n'
  const cases: [number, string][] = [
    [400, 'nonsense\r\n\r\n'],
    [400, 'GET / HTTP/1.1\r\n\r\n'],
    [400, `${get}host: other\r\n\r\n`],
    [400, `${get}bad name: x\r\n\r\n`],
    [400, `${get}no-colon\r\n\r\n`],
    [400, `${get}a: b\nc: d\r\n\r\n`],
    [400, `${get} folded\r\n\r\n`],
    [400, `${get}a: \0\r\n\r\n`],
    [400, `${post}content-length: +1\r\n\r\nx`],
    [400, `${post}content-length: 1\r\ncontent-length: 1\r\n\r\nx`],
    [400, `${post}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\nx`],
    [400, `${post}transfer-encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n`],
    [400, `${post}transfer-encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n`],
    [400, 'POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n'],
    [501, `${post}transfer-encoding: gzip, chunked\r\n\r\n`],
    [505, 'GET / HTTP/2.0\r\n\r\n'],
    [417, `${get}expect: x\r\n\r\n`],
    [414, `GET /${'x'.repeat(9000)} HTTP/1.1\r\nhost: h\r\n\r\n`],
    [431, `${get}x: ${'y'.repeat(20_000)}`],
    [431, `${get}${'a: b\r\n'.repeat(101)}\r\n`],
    [413, `${post}content-length: 1001\r\n\r\n`],
    [413, `${post}transfer-encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}`],
  ]
  for (const [status, text] of cases) {
    t.match(
      await exchange(text),
      new RegExp(`^HTTP/1\\.1 ${status} .*connection: close`, 's'),
      text.slice(0, 70),
    )
  }
})

t.test('a client that goes away disturbs nobody', async (t) => {
  let answer = (_reply: HttpReply): void => {}
  const { open, exchange } = await serve(t, {
    answer: ({ head }) =>
      head.target === '/last'
        ? { status: 200, body: 'ok' }
        : new Promise((resolve) => {
            answer = resolve
          }),
  })
  const socket = open()
  socket.write('GET /x HTTP/1.1\r\nhost: h\r\n\r\n')
  await once(socket, 'connect')
  socket.destroy()
  await once(socket, 'close')
  t.match(await exchange(last), /ok$/)
  answer({ status: 200, body: 'nobody there' })
  t.match(await exchange(last), /ok$/)
})
