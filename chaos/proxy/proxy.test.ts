// Tests of the proxy on real sockets: each effect is seen by the one it hits, and is gone when it is taken away.

import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { LinkEffect } from '../../contracts/hooks.ts'
import { FaultProxy } from './proxy.ts'

const event = (n: number): string => `data: {"event":${n},"text":"grüße"}\n\n`

interface Pod {
  readonly proxy: FaultProxy
  /** Answers still open, in the order of their requests. */
  readonly answers: ServerResponse[]
  readonly requests: IncomingMessage[]
  next(): Promise<ServerResponse>
}

/** A pod that begins a stream for each POST and answers GET with JSON, behind a proxy. */
async function startPod(t: Test): Promise<Pod> {
  const answers: ServerResponse[] = []
  const requests: IncomingMessage[] = []
  const server = createServer((incoming, answer) => {
    requests.push(incoming)
    incoming.resume()
    incoming.on('error', () => {})
    if (incoming.method === 'GET') return void answer.end('{"status":"ok"}')
    incoming.on('end', () => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' })
      answer.flushHeaders()
      answers.push(answer)
      server.emit('stream')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy = await FaultProxy.start({
    listen: { address: '127.0.0.1', port: 0 },
    upstream: { address: '127.0.0.1', port },
  })
  t.teardown(() => {
    proxy.close()
    server.closeAllConnections()
    server.close()
  })
  const next = async (): Promise<ServerResponse> => {
    if (answers.length === 0) await once(server, 'stream')
    return answers.shift()!
  }
  return { proxy, answers, requests, next }
}

interface Seen {
  text: string
  /** How it ended; null while it has not. */
  end: string | null
}

/** Sends one request; `seen` grows as the answer comes. */
function call(
  pod: Pod,
  body: string | null,
): { seen: Seen; ended: Promise<void>; until: (text: string) => Promise<void> } {
  const seen: Seen = { text: '', end: null }
  let wake = (): void => {}
  const { address, port } = pod.proxy.entrance
  const ended = new Promise<void>((resolve) => {
    const done = (how: string): void => {
      seen.end ??= how
      resolve()
      wake()
    }
    const sent = request({ host: address, port, method: body === null ? 'GET' : 'POST', agent: false })
    sent.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    sent.on('response', (answer) => {
      answer.setEncoding('utf8')
      answer.on('data', (text: string) => {
        seen.text += text
        wake()
      })
      answer.on('end', () => done('complete'))
      answer.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    })
    sent.end(body ?? undefined)
  })
  const until = async (text: string): Promise<void> => {
    while (!seen.text.includes(text) && seen.end === null) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { seen, ended, until }
}

const execute = (step: string): string =>
  JSON.stringify({
    method: 'components/execute',
    params: { component: '/hold', observability: { step_id: step } },
  })

t.test('passes requests, answers and streams untouched', async (t) => {
  const pod = await startPod(t)
  const { seen, ended } = call(pod, execute('a'))
  const answer = await pod.next()
  answer.write(event(1))
  answer.end(event(2))
  await ended
  t.same(seen, { text: event(1) + event(2), end: 'complete' })
  const plain = call(pod, null)
  await plain.ended
  t.same(plain.seen, { text: '{"status":"ok"}', end: 'complete' })
})

/** One whole GET through the proxy: how long it took, and what came. */
async function timed(pod: Pod): Promise<{ ms: number; seen: Seen }> {
  const startedAt = performance.now()
  const { seen, ended } = call(pod, null)
  await ended
  return { ms: performance.now() - startedAt, seen }
}

for (const [name, effect] of Object.entries({
  latency: { kind: 'latency', direction: 'both', delayMs: 60, jitterMs: 10 },
  bandwidth: { kind: 'bandwidth', direction: 'answers', bytesPerSecond: 2_000 },
  loss: { kind: 'loss', direction: 'answers', share: 0.99, stallMs: 1 },
} satisfies Record<string, LinkEffect>)) {
  t.test(`${name}: an answer takes longer, is the same, and is quick again afterwards`, async (t) => {
    const pod = await startPod(t)
    const id = pod.proxy.add(effect)
    const slow = await timed(pod)
    t.ok(slow.ms >= 30, `${slow.ms} ms`)
    t.match(slow.seen, { text: '{"status":"ok"}', end: 'complete' })
    t.ok(pod.proxy.report(id).hits > 0)
    pod.proxy.remove(id)
    t.match((await timed(pod)).seen, { end: 'complete' })
    t.equal(pod.proxy.report(id).hits, 0, 'an effect that is gone reports nothing')
  })
}

t.test('partition: what was sent meanwhile arrives when it is over', async (t) => {
  for (const direction of ['requests', 'answers', 'both'] as const) {
    const pod = await startPod(t)
    const { seen, until, ended } = call(pod, execute('a'))
    const answer = await pod.next()
    answer.write(event(1))
    await until('"event":1')
    const id = pod.proxy.add({ kind: 'partition', direction })
    answer.end(event(2))
    const other = call(pod, null)
    while (pod.proxy.report(id).hits === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    t.equal(seen.text.includes('"event":2'), direction === 'requests')
    t.equal(other.seen.end, null, 'a new request has no answer')
    pod.proxy.remove(id)
    await Promise.all([ended, other.ended])
    t.same(seen, { text: event(1) + event(2), end: 'complete' }, direction)
    t.equal(other.seen.end, 'complete')
  }
})

t.test(
  'half-open: a connection goes silent for good, others do not, and it is reset at the end',
  async (t) => {
    const pod = await startPod(t)
    const { seen, until, ended } = call(pod, execute('a'))
    const answer = await pod.next()
    answer.write(event(1))
    await until('"event":1')
    const id = pod.proxy.add({ kind: 'half-open', moment: null })
    answer.end(event(2))
    t.match((await timed(pod)).seen, { end: 'complete' }, 'a new connection works')
    t.same(seen, { text: event(1), end: null })
    pod.proxy.remove(id)
    await ended
    t.equal(seen.end, 'ECONNRESET')
  },
)

t.test('reset: the stream of the named step breaks after the named event, and no other', async (t) => {
  const pod = await startPod(t)
  const id = pod.proxy.add({ kind: 'reset', share: 1, moment: { step: 'b', event: 2 } })
  for (const [step, text, end] of [
    ['a', event(1) + event(2) + event(3), 'complete'],
    ['b', event(1) + event(2), 'ECONNRESET'],
    ['b', event(1) + event(2) + event(3), 'complete'],
  ]) {
    const { seen, ended } = call(pod, execute(step ?? ''))
    const answer = await pod.next()
    for (const n of [1, 2, 3]) answer.write(event(n))
    if (end === 'complete') answer.end()
    await ended
    t.same(seen, { text, end }, `step ${step}`)
  }
  t.equal(pod.proxy.report(id).hits, 1, 'a moment comes once')
})

t.test('truncate: an event is cut and the stream ends as if it were whole', async (t) => {
  const pod = await startPod(t)
  pod.proxy.add({ kind: 'truncate', share: 1, moment: { component: '/hold', event: 2 } })
  const { seen, ended } = call(pod, execute('a'))
  const answer = await pod.next()
  answer.write(event(1))
  answer.write(event(2))
  await ended
  t.ok(seen.text.startsWith(event(1)))
  t.ok(seen.text.length < event(1).length + event(2).length)
  t.not(seen.end, 'complete', 'a chunked body that ends early is none')
})

t.test('split: events come in pieces, within characters too, and are the same', async (t) => {
  const pod = await startPod(t)
  const id = pod.proxy.add({ kind: 'split', bytes: 3, gapMs: 1 })
  const { seen, ended } = call(pod, execute('a'))
  const answer = await pod.next()
  answer.write(event(1))
  answer.end(event(2))
  await ended
  t.same(seen, { text: event(1) + event(2), end: 'complete' })
  t.equal(pod.proxy.report(id).hits, 2)
})

t.test('corrupt: one byte of the JSON is NUL, and the framing is whole', async (t) => {
  const pod = await startPod(t)
  pod.proxy.add({ kind: 'corrupt', share: 1, moment: null })
  const { seen } = await timed(pod)
  t.equal(seen.end, 'complete')
  t.equal(seen.text.length, '{"status":"ok"}'.length)
  t.equal(seen.text.split('\0').length, 2)
})

t.test("slow-reader: the pod's writes back up", async (t) => {
  const pod = await startPod(t)
  const id = pod.proxy.add({ kind: 'slow-reader', bytesPerSecond: 20_000 })
  const { seen, ended } = call(pod, execute('a'))
  const answer = await pod.next()
  // More than the kernel's buffers hold, so that it must wait.
  const big = `data: ${'x'.repeat(20_000_000)}\n\n`
  answer.end(big)
  t.ok(answer.writableLength > 0 || !answer.writableFinished, 'not all could be written')
  while (pod.proxy.report(id).hits === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  t.notOk(answer.writableFinished)
  t.ok(seen.text.length < 1_000_000, `${seen.text.length} bytes came`)
  pod.proxy.remove(id)
  pod.proxy.close()
  await ended
})

t.test('a moment holds every connection of the pod until it is released', async (t) => {
  const pod = await startPod(t)
  const { seen, until, ended } = call(pod, execute('a'))
  const answer = await pod.next()
  let release = (): void => {}
  const arrived = new Promise<void>((resolve) => {
    release = pod.proxy.watch({ step: 'a', event: 2 }, resolve)
  })
  for (const n of [1, 2, 3]) answer.write(event(n))
  answer.end()
  await arrived
  await until('"event":2')
  const other = call(pod, null)
  while (pod.requests.length < 1) await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(seen.text, event(1) + event(2), 'the event is through, the next is not')
  t.equal(pod.requests.length, 1, 'no other request reaches the pod')
  release()
  await Promise.all([ended, other.ended])
  t.same(seen, { text: event(1) + event(2) + event(3), end: 'complete' })
})

t.test('the same seed makes the same choices', async (t) => {
  const outcomes = async (seed: number): Promise<string> => {
    const pod = await startPod(t)
    pod.proxy.add({ kind: 'reset', share: 0.5, moment: null }, seed)
    let all = ''
    for (let n = 0; n < 12; n++) {
      const { seen, ended } = call(pod, execute('a'))
      const answer = await pod.next()
      answer.write(event(1))
      await new Promise((resolve) => setImmediate(resolve))
      answer.end()
      await ended
      all += seen.end === 'complete' ? 'c' : 'r'
    }
    return all
  }
  const first = await outcomes(7)
  t.equal(await outcomes(7), first)
  t.match(first, /c/)
  t.match(first, /r/)
})
