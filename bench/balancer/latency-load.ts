// A load process: requests at a constant rate to several targets in turn, whatever becomes of the earlier ones.
//
// Arguments: requests a second, cycles, milliseconds of a slice, connections to each target, ports. In each cycle each
// port has one slice, so that what else happens on the machine meets all of them alike. Prints one JSON object:
// failures, and for each port the latencies of each slice in µs; the first cycles warm up and are left out.

import { type Link, type LinkOpener, notWritten } from '../../system/program/link.ts'
import { connectLink } from '../../system/program/tcp-link.ts'

const [rps = 0, cycles = 0, sliceMs = 0, connections = 0, ...ports] = process.argv.slice(2).map(Number)
const body =
  '{"jsonrpc":"2.0","id":"01a20a36-b1da-7772-9357-789ca75de702","method":"components/execute","params":{"component":"/double","input":{"value":5}}}'
const request = Buffer.from(
  `POST / HTTP/1.1\r\nhost: pods\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`,
)
/** Cycles in which compilers and connection pools warm up. */
const warmUpCycles = 40
/** Answers of a slice that are still under way when it ends may take so long, ms. */
const graceMs = 10_000

let failures = 0

class Target {
  readonly slices: number[][] = []
  readonly #idle: Connection[] = []
  readonly #all: Connection[] = []
  /** When requests were due that no connection was free for. */
  readonly #due: number[] = []
  #open = 0
  #onDone: () => void = () => {}

  async start(port: number): Promise<void> {
    await Promise.all(
      Array.from(
        { length: connections },
        () =>
          new Promise<void>((resolve) => {
            this.#all.push(new Connection(port, resolve, (connection, us) => this.#onAnswer(connection, us)))
          }),
      ),
    )
    this.#idle.push(...this.#all)
  }

  /** One slice: sends at the rate, then waits for the last answers. */
  async run(): Promise<void> {
    this.slices.push([])
    const total = Math.round((rps * sliceMs) / 1_000)
    let sent = 0
    const startedAt = performance.now()
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const now = performance.now()
        const wanted = Math.min(total, Math.floor(((now - startedAt) / 1_000) * rps))
        for (; sent < wanted; sent++) {
          this.#open++
          // What the generator itself sends late by a timer's grain is not the balancer's: counted from here.
          // In turn: one that rests for long is closed.
          const connection = this.#idle.shift()
          if (connection === undefined) this.#due.push(now)
          else connection.send(now)
        }
        if (sent < total) return
        clearInterval(timer)
        resolve()
      }, 1)
    })
    if (this.#open === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        failures += this.#open
        resolve()
      }, graceMs)
      this.#onDone = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #onAnswer(connection: Connection, us: number): void {
    this.slices.at(-1)!.push(us)
    const next = this.#due.shift()
    if (next === undefined) this.#idle.push(connection)
    else connection.send(next)
    if (--this.#open === 0) this.#onDone()
  }
}

/** One kept connection, on the balancer's own link: net.Socket would take most of the load's core at this rate. */
class Connection implements LinkOpener {
  readonly #link: Link
  readonly #ready: () => void
  readonly #onAnswer: (connection: Connection, us: number) => void
  #sentAt = 0
  /** What has come of an answer that did not come whole. */
  #received = ''
  /** Of the last answer, whole; most have the same. */
  #length = 0

  constructor(port: number, ready: () => void, onAnswer: (connection: Connection, us: number) => void) {
    this.#ready = ready
    this.#onAnswer = onAnswer
    this.#link = connectLink('127.0.0.1', port, this)
  }

  send(dueAt: number): void {
    this.#sentAt = dueAt
    if (this.#link.writeBytes(request) === notWritten) failures++
  }

  onConnected(): void {
    this.#ready()
  }

  onBytes(bytes: Buffer, from: number, to: number): void {
    // An answer as long as the last one, with the same status, needs no further look.
    if (this.#received === '' && to - from === this.#length && bytes[from + 9] === 0x32) {
      this.#done()
      return
    }
    this.#received += bytes.toString('latin1', from, to)
    const split = this.#received.indexOf('\r\n\r\n')
    if (split === -1) return
    const length = split + 4 + Number(/content-length: (\d+)/i.exec(this.#received)?.[1])
    if (this.#received.length < length) return
    if (this.#received.startsWith('HTTP/1.1 200 ')) this.#length = length
    else failures++
    this.#received = ''
    this.#done()
  }

  onEnd(): void {
    failures++
  }

  onClosed(): void {
    failures++
  }

  onDrained(): void {}

  #done(): void {
    this.#onAnswer(this, Math.round((performance.now() - this.#sentAt) * 1_000))
  }
}

const targets = ports.map(() => new Target())
for (const [index, target] of targets.entries()) await target.start(ports[index]!)
for (let cycle = 0; cycle < warmUpCycles + cycles; cycle++) {
  // Forwards and backwards, so that none always comes first.
  for (const target of cycle % 2 === 0 ? targets : targets.toReversed()) await target.run()
}
const slices = targets.map((target) => target.slices.slice(warmUpCycles))
process.stdout.write(`${JSON.stringify({ failures, slices })}\n`, () => process.exit(0))
