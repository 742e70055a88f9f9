// How this process talks to pods: straight to their addresses, or through ports of this machine that the API server
// forwards to them.

import { connect, createServer, type Server, type Socket } from 'node:net'
import { type KubeConfig, PortForward } from '@kubernetes/client-node'
import { GauntletError } from '../../../contracts/errors.ts'

/** Where a port of a pod is reached: `host:port`. */
export type Endpoint = string

/** Whether something listens at the address. */
export function answers(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (found: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(found)
    }
    const timer = setTimeout(() => end(false), timeoutMs)
    socket.once('connect', () => end(true))
    // Refused by the pod itself: it starts, but it can be reached.
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'))
  })
}

/** Ports of 127.0.0.1, each forwarded to one port of one pod, one stream of the API server a connection. */
export class Forwards {
  readonly #forward: PortForward
  readonly #namespace: string
  readonly #servers = new Map<string, Server>()
  readonly #sockets = new Set<Socket>()

  constructor(config: KubeConfig, namespace: string) {
    this.#forward = new PortForward(config)
    this.#namespace = namespace
  }

  /** Opens a port for the pod's; the same one when asked again. */
  async open(pod: string, port: number): Promise<Endpoint> {
    const key = keyOf(pod, port)
    const known = this.#servers.get(key)
    if (known?.listening) return endpointOf(known)
    const server = createServer((socket) => this.#carry(socket, pod, port))
    this.#servers.set(key, server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return endpointOf(server)
  }

  /** The port that was opened. @throws GauntletError ERR_CLUSTER */
  at(pod: string, port: number): Endpoint {
    const server = this.#servers.get(keyOf(pod, port))
    if (server?.listening) return endpointOf(server)
    throw new GauntletError('ERR_CLUSTER', 'no port is forwarded to it yet', {
      field: pod,
      fix: 'wait until it is ready',
    })
  }

  close(): void {
    for (const server of this.#servers.values()) server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #carry(socket: Socket, pod: string, port: number): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.once('error', () => socket.destroy())
    this.#forward.portForward(this.#namespace, pod, [port], socket, null, socket).then(
      (stream) => {
        const opened = typeof stream === 'function' ? stream() : stream
        socket.once('close', () => opened?.close())
        opened?.addEventListener('close', () => socket.destroy())
      },
      () => socket.destroy(),
    )
  }
}

function keyOf(pod: string, port: number): string {
  return `${pod}:${port}`
}

function endpointOf(server: Server): Endpoint {
  const at = server.address()
  return at === null || typeof at === 'string' ? '' : `127.0.0.1:${at.port}`
}
