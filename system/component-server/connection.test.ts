// Tests of connections on raw sockets: framing, pipelining, refusals, and time limits counted in ticks.

import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { acceptLinks } from '../program/tcp-link.ts'
import type { Json } from '../wire/json.ts'
import { type ConnectionHost, type RequestAnswer, serveConnection } from './connection.ts'
import { createHeadReader, type RequestHead } from './head.ts'

interface Asked {
  readonly head: RequestHead
  readonly body: string
  readonly answer: RequestAnswer
}

type Shared = { -readonly [Key in keyof ConnectionHost]: ConnectionHost[Key] }

/** One connection to a server whose requests the test answers; `text` is all that came back so far. */
async function setup(t: Test) {
  const asked: Asked[] = []
  const waiting: ((asked: Asked) => void)[] = []
  const host: Shared = {
    maxBodyBytes: 1000,
    maxHeldBytes: 100_000,
    heldBytes: 0,
    instanceId: 'pod-1',
    ticks: 0,
    dateLine: 'date: now\r\n',
    draining: false,
    readHead: createHeadReader(),
    onRequest(head, body, answer) {
      const one = { head, body: body.toString(), answer }
      const next = waiting.shift()
      if (next === undefined) asked.push(one)
      else next(one)
    },
  }
  let tick = (): void => {}
  const reads = new EventEmitter()
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  acceptLinks(
    server,
    (makeLink) => {
      const connection = serveConnection(
        (owner) => {
          const link = makeLink(owner)
          const onBytes = owner.onBytes.bind(owner)
          owner.onBytes = (bytes, start, end) => {
            onBytes(bytes, start, end)
            reads.emit('read')
          }
          return link
        },
        host,
        () => {},
      )
      tick = () => connection.tick()
      reads.emit('connection')
    },
    t.fail,
  )
  const client: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  await once(reads, 'connection')
  let text = ''
  let ended = false
  client.on('data', (bytes) => {
    text += bytes.toString()
  })
  client.on('end', () => {
    ended = true
  })
  client.on('error', () => {})
  return {
    client,
    host,
    next: (): Promise<Asked> => {
      const one = asked.shift()
      return one === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(one)
    },
    asked,
    text: () => text,
    /** Writes, and resolves when the server has read it. */
    async send(bytes: string): Promise<void> {
      const read = once(reads, 'read')
      client.write(bytes)
      await read
    },
    /** Resolves with all text once it matches. */
    async until(pattern: RegExp): Promise<string> {
      while (!pattern.test(text)) await once(client, 'data')
      return text
    },
    async untilEnd(): Promise<string> {
      if (!ended) await once(client, 'end')
      return text
    },
    /** Lets `count` ticks pass. */
    pass(count: number): void {
      for (let passed = 0; passed < count; passed++) {
        host.ticks++
        tick()
      }
    },
  }
}

const head = (length: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`

t.test('reads requests however they are cut, and answers each', async (t) => {
  const { send, next, until } = await setup(t)
  for (const round of ['first', 'second']) {
    for (const byte of `${head(round.length)}${round}`) await send(byte)
    const { body, answer } = await next()
    t.equal(body, round)
    answer.send(200, `"${round}"`)
    await until(new RegExp(`\r\n\r\n"${round}"$`))
  }
})

t.test('answers pipelined requests in their order, one at a time', async (t) => {
  const { client, next, asked, until } = await setup(t)
  client.write(`${head(1)}a${head(1)}b\r\n${head(1)}c`)
  const first = await next()
  await new Promise(setImmediate)
  t.strictSame(asked, [])
  first.answer.send(200, '1')
  const second = await next()
  t.equal(second.body, 'b')
  second.answer.send(200, '2')
  const third = await next()
  t.equal(third.body, 'c')
  third.answer.send(200, '3')
  t.match(await until(/\n3$/), /\n1HTTP.*\n2HTTP.*\n3$/s)
})

t.test('reads chunked bodies', async (t) => {
  const { client, next, until } = await setup(t)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n')
  client.write(`1\r\nc\r\n0\r\n\r\n${head(1)}d`)
  const first = await next()
  t.equal(first.body, 'abc')
  first.answer.send(200, '"é"')
  const second = await next()
  t.equal(second.body, 'd')
  t.match(await until(/é"$/), 'content-length: 4\r\n')
})

t.test('asks for a body that waits to be asked', async (t) => {
  const { client, next, until } = await setup(t)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n')
  t.equal(await until(/\r\n\r\n$/), 'HTTP/1.1 100 Continue\r\n\r\n')
  client.write('ok')
  t.equal((await next()).body, 'ok')
})

t.test('sends a stream in chunks, or to its end where the peer knows none', async (t) => {
  const modern = await setup(t)
  modern.client.write(head(0))
  const { answer } = await modern.next()
  answer.openStream()
  answer.begun()
  t.match(
    await modern.until(/\r\n\r\n/),
    /stepflow-instance-id: pod-1\r\n.*transfer-encoding: chunked\r\n\r\n$/s,
  )
  answer.writeEvent('{"a":"é"}' as Json)
  answer.endStream('1' as Json)
  answer.endStream('2' as Json)
  answer.writeEvent('3' as Json)
  t.match(
    await modern.until(/0\r\n\r\n$/),
    '16\r\ndata: {"a":"\\u00e9"}\n\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n',
  )

  const old = await setup(t)
  old.client.write('POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n')
  const second = await old.next()
  second.answer.openStream()
  second.answer.endStream('1' as Json)
  t.match(await old.untilEnd(), /connection: close\r\n\r\ndata: 1\n\n$/)
})

t.test('closes after the answer where the peer or the drain wants it', async (t) => {
  const { client, next, untilEnd } = await setup(t)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  ;(await next()).answer.send(200, '1')
  t.match(await untilEnd(), /connection: close\r\n\r\n1$/)

  const draining = await setup(t)
  draining.host.draining = true
  draining.client.write(head(0))
  ;(await draining.next()).answer.send(200, '1')
  t.match(await draining.untilEnd(), /connection: close\r\n\r\n1$/)
})

t.test('tells an exchange whose peer goes away, once', async (t) => {
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const { client, next } = await setup(t)
    client.write(head(0))
    const { answer } = await next()
    let aborts = 0
    await new Promise<void>((resolve) => {
      answer.onAbort = () => {
        aborts++
        resolve()
      }
      client[leave]()
    })
    answer.send(200, 'dropped')
    t.equal(aborts, 1, leave)
  }
})

t.test('refuses what is no request and ends the connection', async (t) => {
  const cases: [string, RegExp][] = [
    ['GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 Bad Request\r\n.*Host is missing/s],
    [`X: ${'a'.repeat(17_000)}`, /^HTTP\/1\.1 431 /],
    [`POST / HTTP/1.1\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [head(1001), /^HTTP\/1\.1 413 .*larger than 1000 bytes/s],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx', /^HTTP\/1\.1 400 .*chunked body/s],
    [
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${'a'.repeat(1001)}`,
      /^HTTP\/1\.1 413 /,
    ],
  ]
  for (const [bytes, answer] of cases) {
    const { client, asked, untilEnd } = await setup(t)
    client.write(bytes)
    const text = await untilEnd()
    t.match(text, answer)
    t.match(text, 'connection: close\r\n')
    t.strictSame(asked, [])
  }
})

t.test('gives a slow head and a slow body their time, then 408', async (t) => {
  const slowHead = await setup(t)
  await slowHead.send('POST / HT')
  slowHead.pass(19)
  t.equal(slowHead.text(), '')
  slowHead.pass(1)
  t.match(await slowHead.untilEnd(), /^HTTP\/1\.1 408 /)

  const slowBody = await setup(t)
  await slowBody.send(`${head(5)}ab`)
  slowBody.pass(119)
  t.equal(slowBody.text(), '')
  slowBody.pass(1)
  t.match(await slowBody.untilEnd(), /^HTTP\/1\.1 408 /)
})

t.test('ends an idle connection after six seconds of ticks, a busy one never', async (t) => {
  const { client, next, pass, until, untilEnd } = await setup(t)
  client.write(head(0))
  const { answer } = await next()
  pass(1000)
  answer.send(200, '1')
  await until(/\n1$/)
  pass(11)
  client.write(head(0))
  ;(await next()).answer.send(200, '2')
  await until(/\n2$/)
  pass(12)
  t.match(await untilEnd(), /\n2$/)
})

t.test('bodies in part are bounded for all connections together', async (t) => {
  const { send, host, next } = await setup(t)
  host.heldBytes = 99_900
  await send(`${head(150)}${'a'.repeat(90)}`)
  t.equal(host.heldBytes, 99_990)
  await send('a'.repeat(60))
  t.equal((await next()).body.length, 150, 'as long as there is room, they may come')
  t.equal(host.heldBytes, 99_900)

  const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n96\r\n'
  for (const part of [head(150), chunked]) {
    const full = await setup(t)
    full.host.heldBytes = 99_900
    await full.send(`${part}${'a'.repeat(110)}`)
    t.match(
      await full.untilEnd(),
      /^HTTP\/1\.1 503 .*it holds 100000 bytes of bodies that are not whole/s,
      'beyond that they may not',
    )
    t.equal(full.host.heldBytes, 99_900, 'and what had come is gone')
  }
})
