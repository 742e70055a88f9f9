// A Service with a virtual address, as kube-proxy makes one: each new connection goes to a ready pod.

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from './addresses.ts'

/** Connections open at once; further ones are dropped. */
const maxConnections = 16_384
/** A pod frozen by SIGSTOP still accepts until its queue is full; beyond that connecting hangs. */
const connectTimeoutMs = 10_000
const listenRetryMs = 100

export interface ServiceProxy {
  readonly address: Endpoint
  /** Sets the ready pods. Open connections stay with their pod, also while it terminates. */
  update(endpoints: readonly Endpoint[]): void
  /** Ends every connection with a reset and stops listening. */
  close(): void
}

export interface ServiceProxyOptions {
  readonly address: Endpoint
  /**
   * True: stop listening while no pod is ready, so that clients are refused as by kube-proxy's REJECT rule.
   * False, where the port could be taken by others meanwhile: accept and reset.
   */
  readonly refuseWhenEmpty: boolean
  readonly log: (event: string, fields: object) => void
}

/** Round robin over the ready pods (kube-proxy's IPVS default), so that few connections spread evenly too. */
export function startServiceProxy({ address, refuseWhenEmpty, log }: ServiceProxyOptions): ServiceProxy {
  const open = new Set<Socket>()
  let endpoints: readonly Endpoint[] = []
  let turn = 0
  let server: Server | null = null
  let closed = false

  const accept = (client: Socket): void => {
    open.add(client)
    client.once('close', () => open.delete(client))
    client.on('error', () => client.destroy())
    const first = turn++
    const choices = endpoints.map((_, i) => endpoints[(first + i) % endpoints.length]!)
    dial(client, choices)
  }

  /**
   * A pod that refuses has received nothing, so the next may be asked. By kube-proxy the client would be
   * refused then and could safely try again; an accepted connection cannot be refused any more.
   */
  const dial = (client: Socket, choices: readonly Endpoint[]): void => {
    const [pod, ...others] = choices
    if (pod === undefined) return void breakOff(client)
    const upstream = connect({ host: pod.address, port: pod.port, allowHalfOpen: true, noDelay: true })
    open.add(upstream)
    const timer = setTimeout(() => upstream.destroy(new Error('connect timed out')), connectTimeoutMs)
    const abandon = (): void => void upstream.destroy()
    client.once('close', abandon)
    const failed = (): void => {
      clearTimeout(timer)
      open.delete(upstream)
      client.off('close', abandon)
      if (!client.destroyed) dial(client, others)
    }
    upstream.once('error', failed)
    upstream.once('connect', () => {
      clearTimeout(timer)
      upstream.off('error', failed)
      client.off('close', abandon)
      upstream.once('close', () => open.delete(upstream))
      if (client.destroyed) return breakOff(upstream)
      relay(client, upstream)
      relay(upstream, client)
      client.resume()
    })
  }

  const listen = (): void => {
    if (server !== null || closed) return
    // Paused until its pod is connected, so that what a client sends waits in the kernel, not here.
    const next = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, accept)
    next.maxConnections = maxConnections
    server = next
    next.on('error', (error) => {
      log('service cannot listen', { address: address.address, port: address.port, error: error.message })
      if (server === next) server = null
      if (wantsToListen()) setTimeout(listen, listenRetryMs).unref()
    })
    next.listen({ host: address.address, port: address.port, backlog: 511 })
  }

  const wantsToListen = (): boolean => !closed && (!refuseWhenEmpty || endpoints.length > 0)

  if (wantsToListen()) listen()
  return {
    address,
    update(next) {
      endpoints = next
      if (wantsToListen()) return listen()
      server?.close()
      server = null
    },
    close() {
      closed = true
      server?.close()
      server = null
      for (const socket of open) breakOff(socket)
    },
  }
}

/** Carries bytes, the end and a reset from one side to the other. */
function relay(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
  from.on('error', () => breakOff(to))
  from.on('close', () => {
    // Gone without an end of its own: the other side must not take it for a complete answer.
    if (!from.readableEnded && !to.destroyed) breakOff(to)
  })
}

/** Ends a connection by a reset, where libuv can: beside a shutdown under way it refuses, and would never close it. */
function breakOff(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
