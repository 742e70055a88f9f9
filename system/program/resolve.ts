// Names to addresses: by the DNS server that STEPFLOW_DNS names, else by the system.

import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { GauntletError } from '../../contracts/errors.ts'
import { parseAddress } from './flags.ts'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface Resolution {
  readonly endpoints: readonly Endpoint[]
  /** Seconds for which the answer may be kept; null where the system's resolver does not say. */
  readonly ttlSeconds: number | null
}

/**
 * All addresses behind `host` now, in the order of the answer. With STEPFLOW_DNS the SRV records
 * `_http._tcp.<host>` are asked too, and their ports win over `port` where they differ: on machines with
 * one loopback address pods share it and differ by port.
 * Rejects with the resolver's error (`code` ENOTFOUND, ENODATA, ETIMEOUT, ...).
 */
export type Resolve = (host: string, port: number) => Promise<Resolution>

/** Milliseconds one DNS try may take; c-ares doubles it for the second. */
const tryTimeoutMs = 500

/**
 * @param server `address:port` of a DNS server; default STEPFLOW_DNS
 * @throws GauntletError ERR_FLAG_VALUE where `server` is no address:port
 */
export function createResolve(server: string | undefined = process.env['STEPFLOW_DNS']): Resolve {
  if (server === undefined || server === '') return systemResolve
  const at = parseAddress(server)
  if (at === null || isIP(at.host) === 0) {
    throw new GauntletError('ERR_FLAG_VALUE', `got ${server}`, {
      field: 'STEPFLOW_DNS',
      value: server,
      fix: 'use address:port, e.g. 127.0.0.1:5353',
    })
  }
  const resolver = new Resolver({ timeout: tryTimeoutMs, tries: 2 })
  resolver.setServers([server])
  return async (host, port) => {
    const name = host.toLowerCase()
    if (isIP(name) !== 0 || name === 'localhost') return systemResolve(name, port)
    const [addresses, services] = await Promise.all([
      resolver.resolve4(name, { ttl: true }),
      resolver.resolveSrv(`_http._tcp.${name}`).catch(() => []),
    ])
    const ttlSeconds = addresses.reduce((least, record) => Math.min(least, record.ttl), 3600)
    if (services.some((service) => service.port !== port)) {
      const endpoints = await Promise.all(
        services.map(async (service) => ({
          address: (await resolver.resolve4(service.name))[0] ?? service.name,
          port: service.port,
        })),
      )
      return { endpoints, ttlSeconds }
    }
    return { endpoints: addresses.map((record) => ({ address: record.address, port })), ttlSeconds }
  }
}

async function systemResolve(host: string, port: number): Promise<Resolution> {
  if (isIP(host) !== 0) return { endpoints: [{ address: host, port }], ttlSeconds: null }
  const addresses = await lookup(host, { all: true, order: 'verbatim' })
  return { endpoints: addresses.map(({ address }) => ({ address, port })), ttlSeconds: null }
}
