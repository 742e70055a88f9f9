// A load process: requests at a constant rate over kept-alive connections, whatever becomes of the earlier ones.
//
// Arguments: port, requests a second, seconds, connections. Prints one JSON object: percentiles in µs.

import { connect, type Socket } from 'node:net'
import { build } from 'hdr-histogram-js'

const [port, rps, seconds, connections] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
]
const body =
  '{"jsonrpc":"2.0","id":"01a20a36-b1da-7772-9357-789ca75de702","method":"components/execute","params":{"component":"/double","input":{"value":5}}}'
const request = Buffer.from(
  `POST / HTTP/1.1\r\nhost: pods\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`,
)
/** Requests of the first second warm up and are not counted. */
const warmUpMs = 1_000

const histogram = build({
  lowestDiscernibleValue: 1,
  highestTrackableValue: 60_000_000,
  numberOfSignificantValueDigits: 3,
})
const idle: Connection[] = []
/** Requests that no connection was free for: when they were due. */
const due: number[] = []
let failures = 0
let worstLagMs = 0

class Connection {
  readonly #socket: Socket
  #sentAt = 0
  #received = ''

  constructor(ready: () => void) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.once('connect', ready)
    this.#socket.on('data', (bytes) => this.#onData(bytes))
    this.#socket.on('error', () => failures++)
  }

  send(dueAt: number): void {
    this.#sentAt = dueAt
    this.#socket.write(request)
  }

  #onData(bytes: Buffer): void {
    this.#received += bytes.toString('latin1')
    const split = this.#received.indexOf('\r\n\r\n')
    if (split === -1) return
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1])
    if (this.#received.length < split + 4 + length) return
    if (!this.#received.startsWith('HTTP/1.1 200 ')) failures++
    this.#received = ''
    const now = performance.now()
    if (this.#sentAt > startedAt + warmUpMs)
      histogram.recordValue(Math.max(1, Math.round((now - this.#sentAt) * 1_000)))
    const next = due.shift()
    if (next === undefined) idle.push(this)
    else this.send(next)
  }

  close(): void {
    this.#socket.destroy()
  }
}

const all: Connection[] = []
await new Promise<void>((resolve) => {
  let open = 0
  for (let index = 0; index < connections; index++) {
    all.push(
      new Connection(() => {
        if (++open === connections) resolve()
      }),
    )
  }
})
idle.push(...all)
const startedAt = performance.now()
let sent = 0
const total = rps * seconds
await new Promise<void>((resolve) => {
  let last = startedAt
  const timer = setInterval(() => {
    const now = performance.now()
    worstLagMs = Math.max(worstLagMs, now - last)
    last = now
    const wanted = Math.min(total, Math.floor(((now - startedAt) / 1_000) * rps))
    for (; sent < wanted; sent++) {
      // What the generator itself sends late by a timer's grain is not the balancer's: counted from here.
      const connection = idle.pop()
      if (connection === undefined) due.push(now)
      else connection.send(now)
    }
    if (sent >= total) {
      clearInterval(timer)
      setTimeout(resolve, 500)
    }
  }, 1)
})
for (const connection of all) connection.close()
const at = (percentile: number): number => histogram.getValueAtPercentile(percentile)
process.stdout.write(
  `${JSON.stringify({ count: histogram.totalCount, failures, unsent: due.length, p50: at(50), p95: at(95), p99: at(99), worstLagMs })}\n`,
)
process.exit(0)
