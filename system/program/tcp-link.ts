// A link straight on libuv's TCP handle: one read buffer for all, one write call an answer, no stream between.
//
// docs/decisions/030-links-on-tcp-handles.md has the figures. The handle is what net.Socket itself is made
// of; Node shows it as `_handle` and its companions by process.binding. Where either is missing, net.Socket
// does the work.

import { connect, isIPv6, type Server, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket, Server as TlsServer } from 'node:tls'
import {
  highWaterBytes,
  type Link,
  type LinkOpener,
  type LinkOwner,
  notWritten,
  type Packed,
  SocketLink,
  type WriteResult,
  waits,
  written,
} from './link.ts'
import { outgoing } from './outgoing.ts'
import { readBuffer } from './read-buffer.ts'
import { loadHandle, systemError, uvBinding, type WriteRequest } from './uv.ts'

/** The parts of libuv's TCP handle that are used here. Calls return 0 or a negative error number. */
interface TcpHandle {
  link: TcpLink | null
  onread: (this: TcpHandle) => void
  readonly writeQueueSize: number
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  writeLatin1String(request: WriteRequest, text: string): number
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  shutdown(request: object): number
  setNoDelay(on: boolean): number
  setKeepAlive(on: boolean, seconds: number): number
  connect(request: ConnectRequest, address: string, port: number): number
  connect6(request: ConnectRequest, address: string, port: number): number
  close(done?: () => void): void
  reset(done?: () => void): number
}

interface ConnectRequest {
  oncomplete: (status: number) => void
}

const bindings = loadBindings()

const endOfFile = -4095

class TcpLink implements Link {
  owner: LinkOwner
  readonly #handle: TcpHandle
  /** Writes that the kernel had no room for yet. */
  #waitingWrites = 0
  #reading = false
  open = true

  constructor(handle: TcpHandle, owner: LinkOwner) {
    this.#handle = handle
    this.owner = owner
    handle.link = this
  }

  /** Begins to read. */
  start(): void {
    const handle = this.#handle
    handle.onread = onRead
    handle.useUserBuffer(readBuffer)
    handle.setNoDelay(true)
    this.#reading = true
    handle.readStart()
  }

  onRead(count: number): void {
    if (!this.open) return
    if (count > 0) this.owner.onBytes(readBuffer, 0, count)
    else if (count === endOfFile) this.owner.onEnd()
    else if (count < 0) this.fail(count)
  }

  fail(status: number): void {
    if (!this.open) return
    this.destroy()
    this.owner.onClosed(systemError(status))
  }

  get waitingBytes(): number {
    return this.#waitingWrites === 0 || !this.open ? 0 : this.#handle.writeQueueSize
  }

  writeText(text: string): WriteResult {
    if (!this.open) return notWritten
    outgoing.before?.()
    const status = this.#handle.writeLatin1String(spareWrite, text)
    return status === 0 && bindings!.state[bindings!.wasAsync] === 0 ? written : this.#wrote(status, null)
  }

  writeBytes(bytes: Buffer): WriteResult {
    if (!this.open) return notWritten
    outgoing.before?.()
    const status = this.#handle.writeBuffer(spareWrite, bytes)
    return status === 0 && bindings!.state[bindings!.wasAsync] === 0 ? written : this.#wrote(status, bytes)
  }

  writePacked(head: Packed, bytes: Buffer, from: number, to: number): WriteResult {
    return this.open ? this.#writeShared(head, head.withBytes(bytes, from, to)) : notWritten
  }

  writePackedText(head: Packed, body: string): WriteResult {
    return this.open ? this.#writeShared(head, head.withText(body)) : notWritten
  }

  #writeShared(head: Packed, view: Uint8Array): WriteResult {
    outgoing.before?.()
    const status = this.#handle.writeBuffer(spareWrite, view)
    if (status === 0 && bindings!.state[bindings!.wasAsync] === 0) return written
    if (status === 0) head.giveAway()
    return this.#wrote(status, view)
  }

  /** A write failed, or waits: then its request object is used up. */
  #wrote(status: number, bytes: Uint8Array | null): WriteResult {
    if (status !== 0) {
      // The caller is in the middle of its work: tell the owner when that is done.
      process.nextTick(() => this.fail(status))
      return notWritten
    }
    const request = spareWrite
    spareWrite = newWrite()
    request.bytes = bytes
    this.#waitingWrites++
    request.oncomplete = (done) => {
      request.bytes = null
      this.#waitingWrites--
      if (done < 0) this.fail(done)
      else if (this.open && this.#waitingWrites === 0) this.owner.onDrained()
    }
    return this.#handle.writeQueueSize < highWaterBytes ? written : waits
  }

  pause(): void {
    if (!this.#reading || !this.open) return
    this.#reading = false
    this.#handle.readStop()
  }

  resume(): void {
    if (this.#reading || !this.open) return
    this.#reading = true
    this.#handle.readStart()
  }

  end(): void {
    if (!this.open) return
    const request = new bindings!.ShutdownWrap()
    request.oncomplete = ignore
    this.#handle.shutdown(request)
  }

  destroy(): void {
    if (!this.open) return
    this.open = false
    this.#handle.close()
  }

  reset(): void {
    if (!this.open) return
    this.open = false
    this.#handle.reset()
  }
}

let spareWrite: WriteRequest = bindings === null ? { oncomplete: ignore, bytes: null } : newWrite()

/** Makes the link of a connection that was accepted; called once. */
export type MakeLink = (owner: LinkOwner) => Link

/**
 * Calls `opened` with a link maker for each connection that `server` accepts, and `failed` where accepting fails.
 * To be called once it listens; its own options for connections do not count.
 * @param probeSeconds silence after which the peer is asked whether it still exists; 0: never
 */
export function acceptLinks(
  server: Server,
  opened: (makeLink: MakeLink) => void,
  failed: (error: NodeJS.ErrnoException) => void,
  probeSeconds = 0,
): void {
  if (server instanceof TlsServer) {
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.setNoDelay(true)
      if (probeSeconds > 0) socket.setKeepAlive(true, probeSeconds * 1_000)
      opened((owner) => new SocketLink(socket, owner))
    })
    server.on('tlsClientError', failed)
    return
  }
  const listener = (server as unknown as { _handle?: { onconnection?: unknown } })._handle
  if (bindings === null || typeof listener?.onconnection !== 'function') {
    server.on('connection', (socket: Socket) => {
      socket.setNoDelay(true)
      if (probeSeconds > 0) socket.setKeepAlive(true, probeSeconds * 1_000)
      opened((owner) => new SocketLink(socket, owner))
    })
    return
  }
  listener.onconnection = (status: number, handle: TcpHandle): void => {
    if (status < 0) failed(systemError(status))
    else {
      opened((owner) => {
        const link = new TcpLink(handle, owner)
        if (probeSeconds > 0) handle.setKeepAlive(true, probeSeconds)
        link.start()
        return link
      })
    }
  }
}

/** Opens a connection to an IP address; the owner hears `onConnected` or `onClosed`, never during the call. */
export function connectLink(
  address: string,
  port: number,
  owner: LinkOpener,
  tls: ConnectionOptions | null = null,
): Link {
  if (tls !== null) {
    const socket = connectTls({ ...tls, host: address, port })
    socket.setNoDelay(true)
    socket.once('secureConnect', () => owner.onConnected())
    return new SocketLink(socket, owner)
  }
  if (bindings === null) {
    const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true })
    socket.once('connect', () => owner.onConnected())
    return new SocketLink(socket, owner)
  }
  const handle = new bindings.Handle(bindings.socketKind)
  const link = new TcpLink(handle, owner)
  const request = new bindings.TCPConnectWrap()
  request.oncomplete = (status) => {
    if (!link.open) return
    if (status < 0) return link.fail(status)
    link.start()
    owner.onConnected()
  }
  const status = isIPv6(address)
    ? handle.connect6(request, address, port)
    : handle.connect(request, address, port)
  if (status !== 0) process.nextTick(() => link.fail(status))
  return link
}

function onRead(this: TcpHandle): void {
  this.link!.onRead(bindings!.state[bindings!.readCount]!)
}

function newWrite(): WriteRequest {
  const request = new bindings!.WriteWrap()
  request.oncomplete = ignore
  request.bytes = null
  return request
}

function ignore(): void {}

function loadBindings() {
  const handle = loadHandle<TcpHandle>('tcp_wrap', 'TCP', [
    'useUserBuffer',
    'setKeepAlive',
    'writeLatin1String',
    'writeBuffer',
    'readStart',
    'shutdown',
    'reset',
  ])
  if (handle === null) return null
  const { TCPConnectWrap } = uvBinding<{ TCPConnectWrap: new () => ConnectRequest }>('tcp_wrap')
  return { ...handle, TCPConnectWrap }
}
