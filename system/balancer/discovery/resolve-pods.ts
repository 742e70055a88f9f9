// All addresses behind a pod name: A, AAAA and SRV records with their TTL, /etc/hosts, or an address itself.

import { lookup, Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { createResolve, type Endpoint, type Resolution, type Resolve } from '../../program/resolve.ts'

/** Milliseconds one DNS try may take; c-ares doubles it for the second. */
const tryTimeoutMs = 500

export interface ResolvePodsOptions {
  /** `address:port` of a DNS server; default: the system's servers, and /etc/hosts before them. */
  readonly server?: string | undefined
  /** Default /etc/hosts; not read where `server` is given. */
  readonly hostsFile?: string
}

/**
 * As `createResolve`, and beyond it: IPv6 addresses, and TTLs of the system's servers too. Names that only the
 * system's own resolver knows (search domains, mDNS) are found by it, without a TTL.
 * @throws GauntletError ERR_FLAG_VALUE where `server` is no address:port
 */
export function createPodResolve(options: ResolvePodsOptions = {}): Resolve {
  const { server, hostsFile = '/etc/hosts' } = options
  const given = server !== undefined && server !== ''
  // Checks the server's form, and speaks for it.
  if (given) createResolve(server)
  const resolver = new Resolver({ timeout: tryTimeoutMs, tries: 2 })
  if (given) resolver.setServers([server])
  return async (host, port) => {
    const name = host.toLowerCase()
    if (isIP(name) !== 0) return { endpoints: [{ address: name, port }], ttlSeconds: null }
    if (!given) {
      const listed = await readHosts(hostsFile, name)
      if (listed.length > 0)
        return { endpoints: listed.map((address) => ({ address, port })), ttlSeconds: null }
    }
    if (name === 'localhost') return bySystem(name, port)
    try {
      return await byDns(resolver, name, port)
    } catch (error) {
      if (given) throw error
      return bySystem(name, port)
    }
  }
}

async function byDns(resolver: Resolver, name: string, port: number): Promise<Resolution> {
  const [four, six, services] = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
    resolver.resolveSrv(`_http._tcp.${name}`),
  ])
  const records = [
    ...(four.status === 'fulfilled' ? four.value : []),
    ...(six.status === 'fulfilled' ? six.value : []),
  ]
  const ttlSeconds = records.reduce((least, record) => Math.min(least, record.ttl), 3_600)
  const found = services.status === 'fulfilled' ? services.value : []
  // Where pods share an address they differ by port: then SRV records say more than addresses.
  if (found.some((service) => service.port !== port)) {
    const targets = await Promise.allSettled(found.map(({ name: target }) => addressOf(resolver, target)))
    // A pod that is just leaving is named without an address.
    const endpoints = targets.flatMap((target, index): Endpoint[] =>
      target.status === 'fulfilled' ? [{ address: target.value, port: found[index]!.port }] : [],
    )
    if (endpoints.length === 0) throw targets.find((target) => target.status === 'rejected')!.reason
    return { endpoints, ttlSeconds: records.length > 0 ? ttlSeconds : null }
  }
  if (records.length === 0) throw four.status === 'rejected' ? four.reason : new Error('an empty answer')
  return { endpoints: records.map(({ address }) => ({ address, port })), ttlSeconds }
}

/** The address of an SRV record's target: IPv4, else IPv6. */
async function addressOf(resolver: Resolver, target: string): Promise<string> {
  if (isIP(target) !== 0) return target
  const [address] = await resolver
    .resolve4(target)
    .catch((error: unknown) => resolver.resolve6(target).catch(() => Promise.reject(error)))
  if (address === undefined) throw new Error(`no address of ${target}`)
  return address
}

async function bySystem(name: string, port: number): Promise<Resolution> {
  const addresses = await lookup(name, { all: true, order: 'verbatim' })
  return { endpoints: addresses.map(({ address }) => ({ address, port })), ttlSeconds: null }
}

/** Addresses of `name` in a hosts file; none where it is not in there or there is no such file. */
async function readHosts(file: string, name: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return parseHosts(text, name)
}

export function parseHosts(text: string, name: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    return isIP(address ?? '') !== 0 && names.some((one) => one.toLowerCase() === name) ? [address!] : []
  })
}
