// Which loopback addresses and ports a cluster uses: a block of its own, so that two harnesses never meet.

import type { Role } from '../../../contracts/cluster.ts'
import type { Addressing } from './settings.ts'

/** The ports of one role's program, as images and manifests have them. */
export interface Ports {
  readonly port: number
  readonly adminPort: number
  /** The balancer's METRICS_ADDRESS. */
  readonly metricsPort: number
}

export const standardPorts: Readonly<Record<Role, Ports>> = {
  runtime: { port: 7840, adminPort: 7841, metricsPort: 7842 },
  balancer: { port: 8080, adminPort: 9091, metricsPort: 9090 },
  'component-server': { port: 8080, adminPort: 8081, metricsPort: 9090 },
}

/** Services with an address of their own; the component servers' is headless. */
export const proxiedRoles = ['runtime', 'balancer'] as const satisfies readonly Role[]

/** A cluster's share of the loopback. */
export interface Block {
  readonly addressing: Addressing
  /** Where the DNS server listens. Holding it is what claims the block. */
  readonly dns: Endpoint
  /** How many pods fit in. */
  readonly capacity: number
  service(role: (typeof proxiedRoles)[number]): Endpoint
  /** Address and ports of the pod in `slot`, 0 to capacity - 1. */
  pod(role: Role, slot: number): { readonly address: string } & Ports
  /** Where the proxy on the way to that pod listens; port 0: a free one. */
  link(role: Role, slot: number): Endpoint
  readonly text: string
}

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** Host parts of the block's fixed addresses, and of its first pod. */
const dnsHost = 1
const serviceHosts = { runtime: 10, balancer: 11 } as const
const firstPodHost = 20
const lastPodHost = 254

/** Blocks are 127.64.0.0/24 to 127.127.255.0/24: away from 127.0.0.x and 127.0.1.1, which systems use. */
export const ownBlocks = 64 * 256

/** @param index 0 to ownBlocks - 1 */
export function ownBlock(
  index: number,
  dnsPort: number,
  ports: Readonly<Record<Role, Ports>> = standardPorts,
): Block {
  const prefix = `127.${64 + Math.floor(index / 256)}.${index % 256}`
  // The same block, 64 further on: no other cluster's.
  const linkPrefix = `127.${128 + Math.floor(index / 256)}.${index % 256}`
  return {
    addressing: 'own',
    dns: { address: `${prefix}.${dnsHost}`, port: dnsPort },
    capacity: lastPodHost - firstPodHost + 1,
    service: (role) => ({ address: `${prefix}.${serviceHosts[role]}`, port: ports[role].port }),
    pod: (role, slot) => ({ address: `${prefix}.${firstPodHost + slot}`, ...ports[role] }),
    link: (role, slot) => ({ address: `${linkPrefix}.${firstPodHost + slot}`, port: ports[role].port }),
    text: `each pod an address of ${prefix}.0/24`,
  }
}

/**
 * Port blocks of the one-address mode start here: above the registered ports in wide use, below the ephemeral
 * ranges (Linux 32768, macOS 49152), so that no outgoing connection takes a pod's port.
 */
const firstSharedPort = 20_000
const sharedBlockPorts = 200
const sharedServicePorts = { runtime: 1, balancer: 2 } as const
const firstPodPort = 5
const portsOfPod = 3

export const sharedBlocks = 60

/** @param index 0 to sharedBlocks - 1 */
export function sharedBlock(index: number): Block {
  const base = firstSharedPort + index * sharedBlockPorts
  const address = '127.0.0.1'
  return {
    addressing: 'shared',
    dns: { address, port: base },
    capacity: Math.floor((sharedBlockPorts - firstPodPort) / portsOfPod),
    service: (role) => ({ address, port: base + sharedServicePorts[role] }),
    pod: (_role, slot) => {
      const port = base + firstPodPort + slot * portsOfPod
      return { address, port, adminPort: port + 1, metricsPort: port + 2 }
    },
    link: () => ({ address, port: 0 }),
    text: `all pods on ${address}, ports ${base} to ${base + sharedBlockPorts - 1}`,
  }
}

/** Every endpoint of a shared block, to see whether all are free before it is used. */
export function sharedBlockEndpoints(index: number): readonly Endpoint[] {
  const base = firstSharedPort + index * sharedBlockPorts
  return Array.from({ length: sharedBlockPorts - 1 }, (_, i) => ({
    address: '127.0.0.1',
    port: base + 1 + i,
  }))
}

/**
 * Slots of a block. A freed one goes to the back of the queue, so that a dead pod's address is not soon
 * another pod's, as with Kubernetes' own address management.
 */
export class Slots {
  readonly #free: number[]

  constructor(capacity: number) {
    this.#free = Array.from({ length: capacity }, (_, slot) => slot)
  }

  /** Undefined: all are taken. */
  take(): number | undefined {
    return this.#free.shift()
  }

  release(slot: number): void {
    this.#free.push(slot)
  }
}
