// What the cluster's DNS answers to a question: the records of Kubernetes' DNS specification, CoreDNS's way.

import type { Answer, Question, StringAnswer } from 'dns-packet'
import { appNames, type Role } from '../../../contracts/cluster.ts'
import type { Endpoint } from './addresses.ts'
import { allSuffix, clusterDomain, namespace } from './names.ts'

/** Seconds for which an answer may be kept. CoreDNS's default of 5 (30 in k3s) would only slow tests down. */
export const ttlSeconds = 1

/** What the zone knows, asked anew at each question. */
export interface Zone {
  /** Virtual address of a role's Service; null: headless. */
  service(role: Role): Endpoint | null
  /** Main listeners of the role's ready pods; those that terminate are none of them. */
  ready(role: Role): readonly Endpoint[]
  /** The same of all its pods, ready or not: what a Service with publishNotReadyAddresses has. */
  all(role: Role): readonly Endpoint[]
}

/** The zone as it is now, for good, and with a pod of the component servers that is gone. */
export function staleZone(zone: Zone, gone: Endpoint): Zone {
  const roles = Object.keys(appNames) as Role[]
  const ready = new Map(roles.map((role) => [role, zone.ready(role)]))
  const all = new Map(roles.map((role) => [role, zone.all(role)]))
  return {
    service: (role) => zone.service(role),
    ready: (role) => [...(ready.get(role) ?? []), ...(role === 'component-server' ? [gone] : [])],
    all: (role) => all.get(role) ?? [],
  }
}

export interface ZoneAnswer {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED'
  readonly answers: readonly Answer[]
  /** Addresses of the targets of SRV answers. */
  readonly additionals: readonly StringAnswer[]
  /** The SOA record of a negative answer: for how long to believe it. */
  readonly authorities: readonly Answer[]
}

/**
 * Answers for `<service>.stepflow-demo.svc.cluster.local`, its short forms (a pod's search list, which
 * programs with a resolver of their own do not apply), `_http._tcp.` before each, and `<a-b-c-d>.<service>`
 * of a ready pod; `<service>-all` is a second headless Service of the role's pods, with those in it that are
 * not ready or terminate. A headless Service without a ready pod is NXDOMAIN, as the specification says.
 * Names outside the zone are refused: nothing is forwarded.
 */
export function answer(question: Question, zone: Zone): ZoneAnswer {
  const name = question.name.toLowerCase().replace(/\.$/, '')
  const parsed = parseName(name)
  if (parsed === 'outside') return refused
  if (parsed === 'unknown') return negative('NXDOMAIN')
  if (parsed === 'empty') return negative('NOERROR')
  const { role, prefix, base, all } = parsed
  const service = all ? null : zone.service(role)
  const endpoints = all ? zone.all(role) : service === null ? zone.ready(role) : [service]
  const wanted =
    prefix.kind === 'host' ? endpoints.filter((at) => dashed(at.address) === prefix.host) : endpoints
  if (wanted.length === 0) return negative('NXDOMAIN')
  if (prefix.kind === 'srv') {
    if (question.type !== 'SRV') return negative('NOERROR')
    const target = (at: Endpoint): string => (service === null ? `${dashed(at.address)}.${base}` : base)
    return positive(
      wanted.map((at) => ({
        type: 'SRV',
        name: question.name,
        ttl: ttlSeconds,
        data: {
          priority: 0,
          weight: Math.max(1, Math.floor(100 / wanted.length)),
          port: at.port,
          target: target(at),
        },
      })),
      addressRecords(wanted, target),
    )
  }
  if (question.type !== 'A') return negative('NOERROR')
  return positive(
    addressRecords(wanted, () => question.name),
    [],
  )
}

type Prefix =
  | { readonly kind: 'service' }
  | { readonly kind: 'srv' }
  | { readonly kind: 'host'; readonly host: string }

const suffixes = [`.${namespace}.svc.${clusterDomain}`, `.${namespace}.svc`, `.${namespace}`, '']

interface Parsed {
  readonly role: Role
  readonly prefix: Prefix
  readonly base: string
  /** Of the Service that has pods which are not ready, too. */
  readonly all: boolean
}

function parseName(name: string): Parsed | 'outside' | 'unknown' | 'empty' {
  const suffix = suffixes.find((one) => name.endsWith(one)) ?? ''
  const labels = name.slice(0, name.length - suffix.length).split('.')
  const app = labels.pop()
  const all = app?.endsWith(allSuffix) === true
  const plain = all ? app.slice(0, -allSuffix.length) : app
  const role = (Object.keys(appNames) as Role[]).find((one) => appNames[one] === plain)
  if (role === undefined) {
    if (clusterDomain === name || `svc.${clusterDomain}` === name) return 'empty'
    if (`${namespace}.svc.${clusterDomain}` === name) return 'empty'
    return name.endsWith(`.${clusterDomain}`) || suffix !== '' ? 'unknown' : 'outside'
  }
  const base = `${app}${suffix}`
  const [first, second] = labels
  if (first === undefined) return { role, prefix: { kind: 'service' }, base, all }
  if (labels.length === 1) {
    return first === '_tcp' ? 'empty' : { role, prefix: { kind: 'host', host: first }, base, all }
  }
  if (labels.length === 2 && first === '_http' && second === '_tcp') {
    return { role, prefix: { kind: 'srv' }, base, all }
  }
  return 'unknown'
}

/** One A record for each name and address: in the one-address mode pods share them. */
function addressRecords(endpoints: readonly Endpoint[], nameOf: (at: Endpoint) => string): StringAnswer[] {
  const records = new Map<string, StringAnswer>()
  for (const at of endpoints) {
    const name = nameOf(at)
    records.set(`${name} ${at.address}`, { type: 'A', name, ttl: ttlSeconds, data: at.address })
  }
  return [...records.values()]
}

function dashed(address: string): string {
  return address.replaceAll('.', '-')
}

function positive(answers: readonly Answer[], additionals: readonly StringAnswer[]): ZoneAnswer {
  return { rcode: 'NOERROR', answers, additionals, authorities: [] }
}

const refused: ZoneAnswer = { rcode: 'REFUSED', answers: [], additionals: [], authorities: [] }

function negative(rcode: 'NOERROR' | 'NXDOMAIN'): ZoneAnswer {
  return { rcode, answers: [], additionals: [], authorities: [soa] }
}

const soa: Answer = {
  type: 'SOA',
  name: clusterDomain,
  ttl: ttlSeconds,
  data: {
    mname: `ns.dns.${clusterDomain}`,
    rname: `hostmaster.${clusterDomain}`,
    serial: 1,
    refresh: 7_200,
    retry: 1_800,
    expire: 86_400,
    minimum: ttlSeconds,
  },
}
