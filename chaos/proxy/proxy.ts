// A fault-injecting TCP proxy in front of one pod: passes bytes through, and does to them what its effects say.
//
//   caller ──requests──> Lane ──> pod        http-reader.ts cuts both at heads, bodies and events,
//   caller <──answers─── Lane <── pod        so that an effect can act at an exact event of a live stream

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Direction, LinkEffect, LinkReport, Moment } from '../../contracts/hooks.ts'
import { seededRandom } from '../random.ts'
import { HttpReader, type Piece } from './http-reader.ts'
import { Lane } from './lane.ts'

export interface ProxyOptions {
  /** Where it listens; port 0 takes a free one. */
  readonly listen: { readonly address: string; readonly port: number }
  readonly upstream: { readonly address: string; readonly port: number }
}

/** Which step's call an answer belongs to. */
interface Call {
  readonly method: string
  readonly step: string | null
  readonly component: string | null
}

interface Placed {
  /** Seeded: every choice of the effect comes from here. */
  readonly random: () => number
  readonly effect: LinkEffect
  hits: number
  last: string
}

interface Watch {
  readonly moment: Moment
  readonly arrived: () => void
}

type Side = Exclude<Direction, 'both'>

const connectTimeoutMs = 10_000
/** Connections at once; further ones are dropped. */
const mostConnections = 16_384
/** Bytes of an answer that a slow reader lets wait here. */
const slowReaderBytes = 1_024
/** A segment is lost again so often at most. */
const mostLosses = 6

export class FaultProxy {
  readonly #options: ProxyOptions
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #effects = new Map<string, Placed>()
  readonly #watches = new Set<Watch>()
  #holds = 0
  #nextId = 1

  /**
   * Starts to listen.
   * @throws the error of listen(2), as `code`
   */
  static start(options: ProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options)
    return new Promise((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen({ host: options.listen.address, port: options.listen.port, backlog: 511 }, () => {
        proxy.#server.off('error', reject)
        resolve(proxy)
      })
    })
  }

  private constructor(options: ProxyOptions) {
    this.#options = options
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, pauseOnConnect: true },
      (caller: Socket) => this.#accept(caller),
    )
    this.#server.maxConnections = mostConnections
  }

  get entrance(): { readonly address: string; readonly port: number } {
    const at = this.#server.address()
    const port = at !== null && typeof at === 'object' ? at.port : 0
    return { address: this.#options.listen.address, port }
  }

  /** Puts an effect in place; returns its id. The same seed makes the same choices. */
  add(effect: LinkEffect, seed = 1): string {
    const id = String(this.#nextId++)
    const placed: Placed = { effect, random: seededRandom(seed), hits: 0, last: '' }
    this.#effects.set(id, placed)
    if (effect.kind === 'half-open' && effect.moment === null) {
      for (const connection of this.#connections) connection.silence(placed)
    }
    if (effect.kind === 'slow-reader') this.#limit(slowReaderBytes)
    return id
  }

  /** Takes an effect away; idempotent. */
  remove(id: string): void {
    const placed = this.#effects.get(id)
    if (!this.#effects.delete(id) || placed === undefined) return
    if (placed.effect.kind === 'half-open') {
      for (const connection of this.#connections) connection.endSilence(placed)
    }
    if (placed.effect.kind === 'slow-reader') this.#limit(null)
    // What others delay goes early with it: a fault that ends is followed by a moment of none.
    for (const connection of this.#connections) connection.hurry()
  }

  report(id: string): LinkReport {
    const placed = this.#effects.get(id)
    return {
      hits: placed?.hits ?? 0,
      connections: this.#connections.size,
      last: placed?.last ?? '',
    }
  }

  /**
   * Calls `arrived` when the moment comes and holds every byte of every connection from then on, until the function
   * that this returns is called; called before, it only ends the watch.
   */
  watch(moment: Moment, arrived: () => void): () => void {
    let isHeld = false
    const watch: Watch = {
      moment,
      arrived: () => {
        this.#watches.delete(watch)
        isHeld = true
        this.#holds++
        arrived()
      },
    }
    this.#watches.add(watch)
    return () => {
      this.#watches.delete(watch)
      if (isHeld) this.#holds--
      isHeld = false
      this.#pump()
    }
  }

  /** Stops listening and resets every connection. */
  close(): void {
    this.#server.close()
    for (const connection of [...this.#connections]) connection.reset()
    this.#watches.clear()
  }

  #pump(): void {
    for (const connection of this.#connections) connection.pump()
  }

  #limit(bytes: number | null): void {
    for (const connection of this.#connections) connection.limitAnswers(bytes)
  }

  #accept(caller: Socket): void {
    const { upstream } = this.#options
    caller.on('error', () => caller.destroy())
    const pod = connect({ host: upstream.address, port: upstream.port, allowHalfOpen: true, noDelay: true })
    const timer = setTimeout(() => pod.destroy(new Error('timed out')), connectTimeoutMs)
    const abandon = (): void => void pod.destroy()
    caller.once('close', abandon)
    pod.once('error', () => {
      clearTimeout(timer)
      breakOff(caller)
    })
    pod.once('connect', () => {
      clearTimeout(timer)
      caller.off('close', abandon)
      if (caller.destroyed) return void breakOff(pod)
      const connection = new Connection(caller, pod, {
        effects: () => this.#effects.values(),
        held: () => this.#holds > 0,
        moment: (matches) => {
          for (const watch of [...this.#watches]) if (matches(watch.moment)) watch.arrived()
        },
        closed: () => this.#connections.delete(connection),
      })
      this.#connections.add(connection)
      if ([...this.#effects.values()].some(({ effect }) => effect.kind === 'slow-reader'))
        connection.limitAnswers(slowReaderBytes)
      connection.start()
    })
  }
}

interface ConnectionOptions {
  readonly effects: () => Iterable<Placed>
  /** Whether a moment holds everything. */
  readonly held: () => boolean
  readonly moment: (matches: (moment: Moment) => boolean) => void
  readonly closed: () => void
}

class Connection {
  readonly #caller: Socket
  readonly #pod: Socket
  readonly #options: ConnectionOptions
  readonly #lanes: Readonly<Record<Side, Lane>>
  readonly #readers: Readonly<Record<Side, HttpReader>>
  /** Calls by the number of their message, until answered. */
  readonly #calls = new Map<number, Call>()
  #silencedBy: Placed | null = null
  #isOver = false
  /** The side that is to hear of the other's break once the network lets it. */
  #brokenFor: Socket | null = null

  constructor(caller: Socket, pod: Socket, options: ConnectionOptions) {
    this.#caller = caller
    this.#pod = pod
    this.#options = options
    this.#lanes = {
      requests: new Lane({ from: caller, to: pod, held: () => this.#isHeld('requests') }),
      answers: new Lane({ from: pod, to: caller, held: () => this.#isHeld('answers') }),
    }
    this.#readers = {
      requests: new HttpReader(null),
      answers: new HttpReader((message) => this.#calls.get(message)?.method === 'HEAD'),
    }
  }

  start(): void {
    this.#relay('requests', this.#caller, this.#pod)
    this.#relay('answers', this.#pod, this.#caller)
    this.#caller.resume()
  }

  pump(): void {
    if (this.#brokenFor !== null) this.#broken(this.#brokenFor)
    this.#lanes.requests.pump()
    this.#lanes.answers.pump()
  }

  hurry(): void {
    if (this.#brokenFor !== null) this.#broken(this.#brokenFor)
    this.#lanes.requests.hurry()
    this.#lanes.answers.hurry()
  }

  limitAnswers(bytes: number | null): void {
    this.#lanes.answers.limitBytes = bytes ?? 262_144
    this.#lanes.answers.pump()
  }

  /** From now on nothing passes, for good, and neither side is told. */
  silence(by: Placed): void {
    if (this.#silencedBy !== null || this.#isOver) return
    this.#silencedBy = by
    hit(by, 'a connection went silent')
  }

  endSilence(by: Placed): void {
    if (this.#silencedBy === by) this.reset()
  }

  reset(): void {
    this.#over()
    breakOff(this.#caller)
    breakOff(this.#pod)
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#lanes.requests.stop()
    this.#lanes.answers.stop()
    this.#options.closed()
  }

  #isHeld(side: Side): boolean {
    if (this.#silencedBy !== null || this.#options.held()) return true
    for (const placed of this.#options.effects()) {
      if (placed.effect.kind === 'partition' && isOn(placed.effect.direction, side)) return true
    }
    return false
  }

  #relay(side: Side, from: Socket, to: Socket): void {
    const lane = this.#lanes[side]
    from.on('data', (chunk: Buffer) => {
      if (this.#isOver) return
      for (const placed of this.#options.effects()) {
        if (placed.effect.kind === 'partition' && isOn(placed.effect.direction, side))
          hit(placed, `${chunk.length} bytes of ${side} held`)
      }
      this.#readers[side].push(chunk, (piece) => {
        if (!this.#isOver) this.#take(side, piece)
      })
    })
    from.on('end', () => {
      if (this.#silencedBy === null) lane.end()
    })
    from.on('error', () => this.#broken(to))
    from.on('close', () => {
      // Gone without an end of its own: the other side must not take it for a complete answer.
      if (!from.readableEnded) this.#broken(to)
      else if (to.destroyed) this.#over()
    })
  }

  /** One side broke off: so does the other, unless the network between them is what is broken. */
  #broken(other: Socket): void {
    if (this.#silencedBy !== null || this.#isOver) return
    if (this.#isHeld(other === this.#pod ? 'requests' : 'answers')) {
      this.#brokenFor = other
      return
    }
    this.#over()
    breakOff(other)
  }

  #take(side: Side, piece: Piece): void {
    if (side === 'requests') {
      if (piece.last) this.#calls.set(piece.message, callOf(this.#readers.requests))
      else if (piece.kind === 'head') {
        const method = this.#readers.requests.startLine.split(' ')[0] ?? ''
        this.#calls.set(piece.message, { method, step: null, component: null })
      }
    }
    const call = this.#calls.get(piece.message)
    if (side === 'answers' && piece.last) this.#calls.delete(piece.message)
    const lane = this.#lanes[side]
    const at = this.#timeOf(side, piece)
    if (side === 'answers' && piece.kind === 'event') {
      const matches = (moment: Moment | null): boolean => moment !== null && isMoment(moment, piece, call)
      for (const placed of this.#options.effects()) {
        if (this.#breaks(placed, piece, at, matches)) return
      }
      lane.put(this.#changed(piece, matches), at.dueAt, () => this.#options.moment(matches))
      return
    }
    if (piece.bytes.length > 0)
      lane.put(
        this.#changed(piece, () => false),
        at.dueAt,
      )
  }

  /** When a piece leaves, by latency, loss and bandwidth. */
  #timeOf(side: Side, piece: Piece): { readonly now: number; readonly dueAt: number } {
    const now = performance.now()
    const lane = this.#lanes[side]
    let dueAt = now
    for (const placed of this.#options.effects()) {
      const { effect } = placed
      if (effect.kind === 'latency' && isOn(effect.direction, side)) {
        const ms = Math.max(0, effect.delayMs + (placed.random() * 2 - 1) * effect.jitterMs)
        dueAt += ms
        hit(placed, `${piece.bytes.length} bytes of ${side} ${ms.toFixed(0)} ms later`)
      } else if (effect.kind === 'loss' && isOn(effect.direction, side)) {
        let ms = 0
        for (let times = 0; times < mostLosses && placed.random() < effect.share; times++)
          ms += effect.stallMs * 2 ** times
        if (ms > 0) hit(placed, `${side} stalled for ${ms} ms`)
        dueAt += ms
      } else if (
        (effect.kind === 'bandwidth' && isOn(effect.direction, side)) ||
        (effect.kind === 'slow-reader' && side === 'answers')
      ) {
        const ms = (piece.bytes.length / effect.bytesPerSecond) * 1000
        dueAt = Math.max(dueAt, lane.lastDueAt) + ms
        hit(placed, `${piece.bytes.length} bytes took ${ms.toFixed(0)} ms`)
      }
    }
    return { now, dueAt }
  }

  /** Whether an effect did away with the rest of the connection at this event. */
  #breaks(
    placed: Placed,
    piece: Piece,
    at: { readonly dueAt: number },
    matches: (moment: Moment | null) => boolean,
  ): boolean {
    const { effect } = placed
    switch (effect.kind) {
      case 'half-open':
        if (!matches(effect.moment) || placed.hits > 0) return false
        this.#lanes.answers.put(piece.bytes, at.dueAt)
        this.silence(placed)
        return true
      case 'reset':
        if (!this.#strikes(effect, placed, matches)) return false
        hit(placed, `reset after event ${piece.event}`)
        this.#lanes.answers.put(piece.bytes, at.dueAt, () => this.reset())
        return true
      case 'truncate': {
        if (!this.#strikes(effect, placed, matches)) return false
        hit(placed, `event ${piece.event} cut in its middle`)
        const half = piece.bytes.subarray(0, Math.max(1, Math.floor(piece.bytes.length / 2)))
        this.#lanes.answers.put(half, at.dueAt, () => this.#endEarly())
        return true
      }
      case 'split':
        hit(placed, `event ${piece.event} in pieces of ${effect.bytes} bytes`)
        for (let from = 0, n = 0; from < piece.bytes.length; from += effect.bytes, n++) {
          const isLast = from + effect.bytes >= piece.bytes.length
          const left = isLast ? (): void => this.#options.moment(matches) : undefined
          this.#lanes.answers.put(
            piece.bytes.subarray(from, from + effect.bytes),
            at.dueAt + n * effect.gapMs,
            left,
          )
        }
        return true
      default:
        return false
    }
  }

  /** By its moment, once; without one by chance. */
  #strikes(
    effect: { readonly share: number; readonly moment: Moment | null },
    placed: Placed,
    matches: (moment: Moment | null) => boolean,
  ): boolean {
    if (effect.moment !== null) return placed.hits === 0 && matches(effect.moment)
    return placed.random() < effect.share
  }

  #endEarly(): void {
    this.#over()
    this.#caller.end()
    this.#pod.destroy()
  }

  /** The piece's bytes, with a byte changed where an effect says so. */
  #changed(piece: Piece, matches: (moment: Moment | null) => boolean): Buffer {
    for (const placed of this.#options.effects()) {
      const { effect } = placed
      if (effect.kind !== 'corrupt' || (piece.kind !== 'event' && piece.kind !== 'body')) continue
      // Only what is JSON: a broken frame is what `truncate` and `reset` are for.
      const first = piece.bytes.indexOf('{')
      const last = piece.bytes.lastIndexOf('}')
      if (first === -1 || last < first || !this.#strikes(effect, placed, matches)) continue
      const bytes = Buffer.from(piece.bytes)
      const at = first + Math.floor(placed.random() * (last - first + 1))
      bytes[at] = 0
      hit(placed, `byte ${at} of a ${piece.kind} of ${bytes.length} bytes`)
      return bytes
    }
    return piece.bytes
  }
}

/** Ends a connection by a reset, where libuv can: beside a shutdown under way it refuses, and would never close it. */
function breakOff(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}

function hit(placed: Placed, last: string): void {
  placed.hits++
  placed.last = last
}

function isOn(direction: Direction, side: Side): boolean {
  return direction === 'both' || direction === side
}

function isMoment(moment: Moment, piece: Piece, call: Call | undefined): boolean {
  return (
    piece.event === moment.event &&
    (moment.step === undefined || moment.step === call?.step) &&
    (moment.component === undefined || moment.component === call?.component)
  )
}

/** What a request is for; of one that is no call, only its method. */
function callOf(request: HttpReader): Call {
  const method = request.startLine.split(' ')[0] ?? ''
  try {
    const { params } = JSON.parse(request.body) as { params?: Record<string, unknown> }
    const observability = params?.['observability'] as Record<string, unknown> | undefined
    return { method, step: textOf(observability?.['step_id']), component: textOf(params?.['component']) }
  } catch {
    return { method, step: null, component: null }
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
