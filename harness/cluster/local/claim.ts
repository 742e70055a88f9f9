// Claims a block of loopback addresses or ports by listening on its DNS endpoint, TCP and UDP.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { Role } from '../../../contracts/cluster.ts'
import {
  type Block,
  type Endpoint,
  ownBlock,
  ownBlocks,
  type Ports,
  sharedBlock,
  sharedBlockEndpoints,
  sharedBlocks,
  standardPorts,
} from './addresses.ts'
import { Refused } from './protocol.ts'
import { type Addressing, roles } from './settings.ts'

export interface Claim {
  readonly block: Block
  /** The sockets of the DNS server, which hold the claim as long as they are open. */
  readonly tcp: Server
  readonly udp: Socket
}

/** Ports tried for DNS in a block of addresses; another only where some program holds the first everywhere. */
const dnsPorts = [1053, 5300, 10_053]
const triesPerPort = 16

/**
 * @param random numbers in [0, 1)
 * @param ports wanted in a block of addresses
 * @throws Refused ERR_ENVIRONMENT where no block is free
 */
export async function claimBlock(
  addressing: Addressing | 'auto',
  random: () => number,
  ports: Readonly<Record<Role, Ports>> = standardPorts,
): Promise<Claim> {
  if (addressing !== 'shared') {
    const claim = await claimOwn(random, ports)
    if (claim !== null) return claim
    if (addressing === 'own') {
      throw new Refused({
        code: 'ERR_ENVIRONMENT',
        problem: 'this machine has no loopback addresses but 127.0.0.1',
        field: 'addressing',
        fix: 'use shared',
      })
    }
  }
  const first = Math.floor(random() * sharedBlocks)
  for (let i = 0; i < sharedBlocks; i++) {
    const index = (first + i) % sharedBlocks
    const block = sharedBlock(index)
    const sockets = await listenDns(block.dns)
    if (typeof sockets === 'string') continue
    if (await allFree(sharedBlockEndpoints(index))) return { block, ...sockets }
    sockets.tcp.close()
    sockets.udp.close()
  }
  throw new Refused({
    code: 'ERR_ENVIRONMENT',
    problem: `no block of ports of 127.0.0.1 is free from 20000 to ${20_000 + sharedBlocks * 200}`,
    fix: 'stop programs that listen there',
  })
}

/** Null: the platform has no such addresses (macOS has 127.0.0.1 only). */
async function claimOwn(random: () => number, wanted: Readonly<Record<Role, Ports>>): Promise<Claim | null> {
  for (const dnsPort of dnsPorts) {
    for (let i = 0; i < triesPerPort; i++) {
      const index = Math.floor(random() * ownBlocks)
      const { dns } = ownBlock(index, dnsPort)
      const sockets = await listenDns(dns)
      if (sockets === 'EADDRNOTAVAIL') return null
      if (typeof sockets === 'string') continue
      const ports = await usablePorts(dns.address, random, wanted)
      return { block: ownBlock(index, dnsPort, ports), ...sockets }
    }
  }
  throw new Refused({
    code: 'ERR_ENVIRONMENT',
    problem: `no loopback address has one of the ports ${dnsPorts.join(', ')} free`,
    fix: 'stop programs that listen there on all addresses',
  })
}

/**
 * The wanted ports, or others in place of those that some program of this machine holds on all addresses
 * (a development server on 0.0.0.0:8080); SRV records say so.
 */
async function usablePorts(
  address: string,
  random: () => number,
  wanted: Readonly<Record<Role, Ports>>,
): Promise<Readonly<Record<Role, Ports>>> {
  const replaced = new Map<number, number>()
  const usable = async (port: number): Promise<number> => {
    const known = replaced.get(port)
    if (known !== undefined) return known
    let candidate = port
    while ([...replaced.values()].includes(candidate) || !(await isFree({ address, port: candidate }))) {
      candidate = 20_000 + Math.floor(random() * 12_000)
    }
    replaced.set(port, candidate)
    return candidate
  }
  const result: Partial<Record<Role, Ports>> = {}
  for (const role of roles) {
    const { port, adminPort, metricsPort } = wanted[role]
    result[role] = {
      port: await usable(port),
      adminPort: await usable(adminPort),
      metricsPort: await usable(metricsPort),
    }
  }
  return result as Record<Role, Ports>
}

/** Listens for DNS over TCP and UDP; a string is the code of the error. */
async function listenDns(at: Endpoint): Promise<{ readonly tcp: Server; readonly udp: Socket } | string> {
  const tcp = createServer()
  const tcpError = await listening(tcp, at)
  if (tcpError !== null) return tcpError
  const udp = createSocket('udp4')
  try {
    udp.bind({ address: at.address, port: at.port, exclusive: true })
    await once(udp, 'listening')
    return { tcp, udp }
  } catch (error) {
    tcp.close()
    udp.close()
    return errorCode(error)
  }
}

async function listening(server: Server, { address, port }: Endpoint): Promise<string | null> {
  try {
    server.listen(port, address)
    await once(server, 'listening')
    return null
  } catch (error) {
    return errorCode(error)
  }
}

async function isFree(at: Endpoint): Promise<boolean> {
  const server = createServer()
  const error = await listening(server, at)
  if (error !== null) return false
  server.close()
  await once(server, 'close')
  return true
}

async function allFree(endpoints: readonly Endpoint[]): Promise<boolean> {
  const free = await Promise.all(endpoints.map(isFree))
  return free.every((one) => one)
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
