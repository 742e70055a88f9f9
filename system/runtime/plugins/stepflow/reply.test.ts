// Tests of replies to callbacks: what counts as delivered, what ends the call, what is sent again.

import t from 'tap'
import type { AnswerHandler, HttpClient } from '../../http/client.ts'
import { TransportError } from '../../http/connect.ts'
import { type Delivery, sendReply } from './reply.ts'

/** A client whose answers are given by `turns`, the last one for ever. */
const clientOf = (...turns: ((handler: AnswerHandler) => void)[]) => {
  const sent: (string | null)[] = []
  const client: HttpClient = {
    post(_body, pod, handler) {
      const turn = turns[Math.min(sent.length, turns.length - 1)]
      sent.push(pod)
      queueMicrotask(() => turn?.(handler))
      return () => {}
    },
    close() {},
  }
  return { client, sent }
}
const deliver = (client: HttpClient, body: string, instanceId: string): Promise<Delivery> =>
  new Promise((resolve) => sendReply(client, body, instanceId, '', resolve))
const answer =
  (status: number, body: string) =>
  (handler: AnswerHandler): void => {
    handler.onHead(status, 'application/json', undefined)
    handler.onData(Buffer.from(body), true)
    handler.onEnd()
  }
const lost =
  (unsent: boolean) =>
  (handler: AnswerHandler): void =>
    handler.onError(new TransportError('broken', unsent ? 'refused' : 'reset', unsent))
const refusal = (reason: string) =>
  JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no', data: { reason } } })

t.test('any status below 400 is delivered', async (t) => {
  for (const [status, body] of [
    [202, '""'],
    [200, '{}'],
    [204, ''],
  ] as const) {
    const { client, sent } = clientOf(answer(status, body))
    t.match(await deliver(client, '1', 'pod-1'), { status, problem: null, fatal: false })
    t.same(sent, ['pod-1'])
  }
})

t.test('what the balancer cannot deliver ends the call, with its reason', async (t) => {
  for (const reason of ['gone', 'unknown', 'no_backend', 'reset', 'timeout']) {
    const { client } = clientOf(answer(503, refusal(reason)))
    t.match(await deliver(client, '1', 'p'), { status: 503, reason, fatal: true, problem: 'no' })
  }
  t.match(await deliver(clientOf(answer(500, '')).client, '1', 'p'), { status: 500, fatal: true })
})

t.test('a pod that does not want it is noted, and its stream decides', async (t) => {
  const { client } = clientOf(answer(400, '{"error":{"code":-32600,"message":"no pending request"}}'))
  t.match(await deliver(client, '1', 'p'), {
    status: 400,
    problem: /no pending request/,
    fatal: false,
  })
})

t.test('a reply that the pod could not read ends the call: its component would wait for ever', async (t) => {
  const body = '{"error":{"code":-32600,"message":"Failed to decode message: JSON is malformed"}}'
  t.match(await deliver(clientOf(answer(400, body)).client, '1', 'p'), {
    status: 400,
    problem: /Failed to decode/,
    fatal: true,
  })
})

t.test('is sent again only while nothing was sent', async (t) => {
  const again = clientOf(lost(true), lost(true), answer(202, '""'))
  t.match(await deliver(again.client, '1', 'p'), { status: 202, problem: null })
  t.equal(again.sent.length, 3)
  const once = clientOf(lost(false), answer(202, '""'))
  t.match(await deliver(once.client, '1', 'p'), { status: 0, reason: 'reset', fatal: true })
  t.equal(once.sent.length, 1)
})

t.test('gives up in the end where nobody accepts it, or at once when told', async (t) => {
  const { client, sent } = clientOf(lost(true))
  t.match(await deliver(client, '1', 'p'), { status: 0, reason: 'refused', fatal: true })
  t.equal(sent.length, 5)
  const said: Delivery[] = []
  const waiting = sendReply(clientOf(() => {}).client, '1', 'p', '', (delivery) => void said.push(delivery))
  t.same(said, [])
  waiting.stop()
  waiting.stop()
  t.match(said, [{ status: 0, fatal: false, reason: 'call-ended' }])
})
