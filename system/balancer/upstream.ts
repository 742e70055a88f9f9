// Connections to pods: opened within a time limit, kept for reuse for less than pods keep theirs.

import type { ConnectionOptions } from 'node:tls'
import type { Link, LinkOpener } from '../program/link.ts'
import { connectLink } from '../program/tcp-link.ts'
import type { Fault, Pod, Pods } from './pods.ts'
import { podTlsOptions, type TlsSettings } from './tls.ts'
import { Timed, type Wheel } from './wheel.ts'

/** uvicorn closes idle connections at 5 s; below 4 s we never write to one that is being closed. */
export const idleMs = 3_500
/** Idle connections kept for one pod. */
const maxIdle = 512

/** Why a connection to a pod failed before anything was sent; `exhausted`: we have no descriptor or port left. */
export type ConnectFailure = Fault | 'exhausted'

/** Who uses a connection at the moment. Bytes are valid during the call only. */
export interface UpstreamUser {
  onConnected(): void
  /** Nothing was sent. */
  onConnectFailed(failure: ConnectFailure): void
  onAnswerBytes(bytes: Buffer, start: number, end: number): void
  /** The pod sends no more. */
  onAnswerEnd(): void
  /** The connection broke after it was connected. */
  onAnswerLost(): void
  onUpstreamDrained(): void
}

export class Upstream extends Timed implements LinkOpener {
  readonly pod: Pod
  readonly link: Link
  readonly #pool: UpstreamPool
  user: UpstreamUser | null
  connected = false
  /** The pod has said that it sends no more. */
  ended = false

  constructor(pool: UpstreamPool, pod: Pod, user: UpstreamUser) {
    super()
    this.#pool = pool
    this.pod = pod
    this.user = user
    this.link = connectLink(pod.host, pod.port, this, pool.tls)
  }

  onConnected(): void {
    this.connected = true
    this.#pool.wheel.hold(this)
    this.user?.onConnected()
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.#pool.heard(this.pod)
    // Bytes that nobody asked for: whatever they are, they are not the answer to our next request.
    if (this.user === null) this.discard()
    else this.user.onAnswerBytes(bytes, start, end)
  }

  onEnd(): void {
    this.ended = true
    if (this.user === null) this.discard()
    else this.user.onAnswerEnd()
  }

  onDrained(): void {
    this.user?.onUpstreamDrained()
  }

  onClosed(error: NodeJS.ErrnoException | null): void {
    this.#pool.forget(this)
    const user = this.user
    this.user = null
    if (user === null) return
    if (this.connected) user.onAnswerLost()
    else user.onConnectFailed(failureOf(error))
  }

  onDeadline(): void {
    const user = this.user
    this.discard()
    if (user !== null && !this.connected) user.onConnectFailed('timeout')
  }

  /** Closes it at once; the user hears nothing. */
  discard(): void {
    this.user = null
    this.#pool.forget(this)
    this.link.destroy()
  }
}

export class UpstreamPool {
  readonly wheel: Wheel
  readonly #pods: Pods
  connectTimeoutMs: number
  /** Connections that new clients leave free for the requests of those that are in. */
  readonly reserve = 32
  /** Open connections, idle ones included. */
  open = 0
  readonly #all = new Set<Upstream>()
  /** Null: plain TCP. */
  tls: ConnectionOptions | null = null

  constructor(wheel: Wheel, pods: Pods, connectTimeoutMs: number) {
    this.wheel = wheel
    this.#pods = pods
    this.connectTimeoutMs = connectTimeoutMs
  }

  /** Bytes came from `pod`. */
  heard(pod: Pod): void {
    this.#pods.heard(pod, this.wheel.nowMs)
  }

  /** Certificates for connections from now on. */
  setTls(pods: TlsSettings['pods']): void {
    this.tls = podTlsOptions(pods)
  }

  /** An idle connection to `pod`, now `user`'s; null where there is none. */
  take(pod: Pod, user: UpstreamUser): Upstream | null {
    const upstream = pod.idle.pop()
    if (upstream === undefined) return null
    this.wheel.hold(upstream)
    upstream.user = user
    return upstream
  }

  /** Opens a connection for `user`, who hears of its fate. */
  connect(pod: Pod, user: UpstreamUser): Upstream {
    const upstream = new Upstream(this, pod, user)
    this.open++
    this.#all.add(upstream)
    this.wheel.arm(upstream, this.connectTimeoutMs)
    return upstream
  }

  /** Takes back a connection whose last answer is complete. */
  giveBack(upstream: Upstream): void {
    upstream.user = null
    const { takesWork, idle } = upstream.pod
    if (upstream.ended || !upstream.link.open || !takesWork || idle.length >= maxIdle) {
      upstream.discard()
      return
    }
    idle.push(upstream)
    this.wheel.arm(upstream, idleMs)
  }

  forget(upstream: Upstream): void {
    this.wheel.disarm(upstream)
    if (!this.#all.delete(upstream)) return
    this.open--
    const at = upstream.pod.idle.indexOf(upstream)
    if (at !== -1) upstream.pod.idle.splice(at, 1)
  }

  closeAll(): void {
    for (const upstream of [...this.#all]) upstream.discard()
  }
}

function failureOf(error: NodeJS.ErrnoException | null): ConnectFailure {
  switch (error?.code) {
    case 'EMFILE':
    case 'ENFILE':
    case 'EADDRNOTAVAIL':
    case 'ENOBUFS':
      return 'exhausted'
    case 'ETIMEDOUT':
      return 'timeout'
    case 'ECONNRESET':
      return 'reset'
    default:
      // ECONNREFUSED, EHOSTUNREACH, ENETUNREACH: nobody there.
      return 'refused'
  }
}
