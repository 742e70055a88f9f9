// The component server's connections against llhttp: no request is taken that a strict parser reads differently.

import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { type RequestAnswer, serveConnection } from '../../system/component-server/connection.ts'
import { createHeadReader, type RequestHead } from '../../system/component-server/head.ts'
import { SocketLink } from '../../system/program/link.ts'
import { makeRequests } from '../fuzz/heads.ts'
import { type OracleMessage, parseByLlhttp } from '../fuzz/llhttp.ts'
import { Random } from '../fuzz/random.ts'

const count = 5_000

interface Taken {
  readonly method: string
  readonly path: string
  readonly body: string
}

/** As much of a socket as a connection uses. */
class FakeSocket extends EventEmitter {
  readonly writableLength = 0
  readonly bytesWritten = 0
  #paused = false
  text = ''
  write(text: string): boolean {
    this.text += text
    return true
  }
  end(text = ''): void {
    this.text += text
  }
  destroy(): void {}
  pause(): void {
    this.#paused = true
  }
  resume(): void {
    this.#paused = false
  }
  isPaused(): boolean {
    return this.#paused
  }
}

/** What a connection takes from `bytes`, cut at `cut`, and what it answered. */
async function serve(bytes: Buffer, cut: number): Promise<{ taken: Taken[]; text: string }> {
  const taken: Taken[] = []
  const socket = new FakeSocket()
  const host = {
    maxBodyBytes: 100_000,
    maxHeldBytes: 1_000_000,
    heldBytes: 0,
    instanceId: 'pod',
    ticks: 0,
    dateLine: '',
    draining: false,
    readHead: createHeadReader(),
    onRequest({ method, path }: RequestHead, body: Buffer, answer: RequestAnswer) {
      taken.push({ method, path, body: body.toString('latin1') })
      answer.send(200, '1')
    },
  }
  serveConnection(
    (owner) => new SocketLink(socket as unknown as Socket, owner),
    host,
    () => {},
  )
  for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
    if (piece.length > 0) socket.emit('data', piece)
    // Pipelined requests are taken up one a turn.
    for (let turn = -1; turn < taken.length; turn++) await nextTurn()
  }
  return { taken, text: socket.text }
}

function difference(taken: readonly Taken[], messages: readonly OracleMessage[]): string | null {
  for (const [index, { method, path, body }] of taken.entries()) {
    // Behind an upgrade llhttp reads no HTTP; this server upgrades to nothing and reads on.
    if (messages[index - 1]?.upgrade === true) return null
    const message = messages[index]
    if (message === undefined || !message.complete) return `took a request ${index} that is none for llhttp`
    const target = message.target.split('?')[0]
    if (message.method !== method || target !== path || message.body !== body) {
      return `took ${JSON.stringify({ method, path, body })}, llhttp read ${JSON.stringify(message)}`
    }
  }
  return null
}

t.test('takes only requests that llhttp reads the same way, however they are cut', async (t) => {
  let whole = 0
  let refused = 0
  for (let seed = 0; seed < count; seed++) {
    const random = new Random(seed)
    const bytes = makeRequests(random)
    const { messages } = parseByLlhttp('request', bytes, false)
    const { taken, text } = await serve(bytes, bytes.length)
    const problem = difference(taken, messages)
    if (problem !== null) t.fail(`seed ${seed}: ${problem}`, { input: bytes.toString('latin1') })
    const cut = await serve(bytes, 1 + random.below(bytes.length))
    if (cut.text !== text)
      t.fail(`seed ${seed}: answers otherwise where cut`, { input: bytes.toString('latin1') })
    if (/^HTTP\/1\.1 [45]/m.test(text)) refused++
    else if (taken.length > 0) whole++
  }
  t.ok(whole > count / 20, `${whole} inputs taken whole`)
  t.ok(refused > count / 20, `${refused} inputs refused`)
})

t.test('finds a connection that reads otherwise', async (t) => {
  const bytes = Buffer.from('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok')
  const { messages } = parseByLlhttp('request', bytes, false)
  t.equal(difference([{ method: 'POST', path: '/a', body: 'ok' }], messages), null)
  t.match(difference([{ method: 'POST', path: '/a', body: 'o' }], messages), /llhttp read/)
  t.match(
    difference(
      [...new Array(2)].map(() => ({ method: 'POST', path: '/a', body: 'ok' })),
      messages,
    ),
    /that is none/,
  )
})
