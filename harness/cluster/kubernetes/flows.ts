// Who can talk to whom under the policies of k8s/components/netpol: every pair of stand-ins tries it. Whether policies
// are enforced at all is asked apart, by two pods under a policy that denies everything.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TriedFlow, TriedFlows } from '../../../contracts/asked.ts'
import type { Kubectl } from '../../deploy/kubectl.ts'
import { toYaml } from '../../deploy/render.ts'
import { ownName, podOf, withNamespaces } from './stand-ins.ts'

export interface FlowsOptions {
  readonly kubectl: Kubectl
  /** An image whose entry point is node, and that the nodes have. */
  readonly image: string
  /** Folder of a kustomization with the policies; default k8s/components/netpol. */
  readonly policies?: string
  readonly signal?: AbortSignal
}

/** Where a party lives: the system's namespace, another one, and those that the policies know by name. */
type Place = 'own' | 'other' | 'default' | 'monitoring'

interface Party {
  readonly name: string
  readonly place: Place
  readonly labels: Readonly<Record<string, string>>
  /** As the real ones have them. */
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
}

const ports = (http: number, admin: number): Party['ports'] => [
  { name: 'http', containerPort: http },
  { name: 'admin', containerPort: admin },
]
const open: Party['ports'] = [{ name: 'http', containerPort: 8080 }]

const parties: readonly Party[] = [
  { name: 'runtime', place: 'own', labels: { app: 'stepflow-server' }, ports: ports(7840, 7841) },
  { name: 'balancer', place: 'own', labels: { app: 'pingora-lb' }, ports: ports(8080, 9091) },
  { name: 'component', place: 'own', labels: { app: 'component-server' }, ports: ports(8080, 8081) },
  { name: 'gpu', place: 'own', labels: { app: 'gpu-server' }, ports: ports(8080, 8081) },
  { name: 'client', place: 'own', labels: { 'stepflow/client': 'true' }, ports: [] },
  { name: 'stranger', place: 'own', labels: { app: 'stranger' }, ports: open },
  { name: 'far-client', place: 'other', labels: { 'stepflow/client': 'true' }, ports: [] },
  { name: 'far-stranger', place: 'other', labels: { app: 'stranger' }, ports: open },
  { name: 'debug', place: 'default', labels: { run: 'debug' }, ports: [] },
  { name: 'not-debug', place: 'default', labels: { run: 'other' }, ports: [] },
  { name: 'prometheus', place: 'monitoring', labels: { app: 'prometheus' }, ports: [] },
]

/** The flow matrix of docs/network.md, but for names and the API server, which are no pods everywhere. */
const matrix: ReadonlySet<string> = new Set([
  'client runtime:7840',
  'far-client runtime:7840',
  'runtime balancer:8080',
  'balancer component:8080',
  'balancer gpu:8080',
  'debug runtime:7840',
  'debug balancer:8080',
  'debug component:8080',
  'debug gpu:8080',
  'prometheus runtime:7841',
  'prometheus balancer:9091',
  'prometheus component:8081',
  'prometheus gpu:8081',
])

const connectTimeoutMs = 2_000
/** Plugins need a moment until a new pod's policies are in force (k3s#13432). */
const settleMs = 20_000

/** @throws GauntletError ERR_ENVIRONMENT, ERR_CLUSTER */
export async function tryFlows(options: FlowsOptions): Promise<TriedFlows> {
  const { kubectl } = options
  const base = ownName('stepflow-network')
  const namespaces: Readonly<Record<Place, string>> = {
    ...{ own: base, other: `${base}-other`, default: `${base}-default`, monitoring: `${base}-monitoring` },
  }
  const probe = `${base}-probe`
  return withNamespaces(kubectl, [...Object.values(namespaces), probe], async () => {
    const folder = options.policies ?? join(import.meta.dirname, '../../../k8s/components/netpol')
    await kubectl(['apply', '-f', '-'], await policies(kubectl, folder, namespaces))
    await kubectl(['apply', '-f', '-'], toYaml([denyAll(probe)]))
    const standIns = [
      ...parties.map((party) => ({ ...party, namespace: namespaces[party.place] })),
      { ...{ name: 'asker', namespace: probe, labels: {}, ports: [] } },
      { ...{ name: 'asked', namespace: probe, labels: {}, ports: open } },
    ].map((party) => ({ ...party, image: options.image, args: ['-e', listening(party.ports)] }))
    await kubectl(['apply', '-f', '-'], toYaml(standIns.map(podOf)))
    for (const namespace of [...Object.values(namespaces), probe]) {
      await kubectl(['wait', 'pod', '--all', '-n', namespace, '--for=condition=Ready', '--timeout=120s'])
    }
    const addresses = new Map<string, string>()
    for (const { name, namespace } of standIns) {
      addresses.set(
        name,
        await kubectl(['get', 'pod', name, '-n', namespace, '-o', 'jsonpath={.status.podIP}']),
      )
    }
    const address = (name: string): string => addresses.get(name) ?? ''

    const enforced = async (): Promise<boolean> => {
      const target = { name: 'asked', host: address('asked'), port: 8080 }
      return (await reached(kubectl, { name: 'asker', namespace: probe }, [target])).size === 0
    }
    const all = async (): Promise<readonly TriedFlow[]> => {
      const tried = parties.map(async (from) => {
        const targets = parties
          .filter(({ name }) => name !== from.name)
          // What leaves another namespace for itself is nobody's business here.
          .filter(({ place }) => place === 'own' || from.place === 'own')
          .flatMap(({ name, ports }) =>
            ports.map(({ containerPort: port }) => ({ name: `${name}:${port}`, host: address(name), port })),
          )
        const got = await reached(kubectl, { name: from.name, namespace: namespaces[from.place] }, targets)
        return targets.map(({ name: to }) => ({
          ...{ from: from.name, to, allowed: matrix.has(`${from.name} ${to}`), reached: got.has(to) },
        }))
      })
      return (await Promise.all(tried)).flat()
    }
    const deadline = performance.now() + settleMs
    for (;;) {
      const tried: TriedFlows = { enforced: await enforced(), flows: await all() }
      const settled = tried.flows.every((flow) => flow.reached === (flow.allowed || !tried.enforced))
      if (settled || performance.now() > deadline || options.signal?.aborted === true) return tried
      await delay(1_000)
    }
  })
}

/** The policies, for namespaces that stand in for the system's and for those that they name. */
async function policies(
  kubectl: Kubectl,
  folder: string,
  { own, default: debugging, monitoring }: Readonly<Record<Place, string>>,
): Promise<string> {
  const at = mkdtempSync(join(tmpdir(), 'stepflow-network-'))
  try {
    const from = JSON.stringify(relative(at, folder))
    writeFileSync(join(at, 'kustomization.yaml'), `namespace: ${own}\ncomponents: [${from}]\n`)
    return (await kubectl(['kustomize', at]))
      .replaceAll('kubernetes.io/metadata.name: default', `kubernetes.io/metadata.name: ${debugging}`)
      .replaceAll('kubernetes.io/metadata.name: monitoring', `kubernetes.io/metadata.name: ${monitoring}`)
  } finally {
    rmSync(at, { recursive: true })
  }
}

function denyAll(namespace: string) {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny-all', namespace },
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  }
}

function listening(ports: Party['ports']): string {
  const numbers = JSON.stringify(ports.map(({ containerPort }) => containerPort))
  return `for (const port of ${numbers}) require('net').createServer((s) => s.end()).listen(port); setInterval(() => {}, 1e6)`
}

/** Names of the targets that accept a connection from that pod. */
async function reached(
  kubectl: Kubectl,
  from: { readonly name: string; readonly namespace: string },
  targets: readonly { readonly name: string; readonly host: string; readonly port: number }[],
): Promise<ReadonlySet<string>> {
  const script = `
    const net = require('net')
    for (const { name, host, port } of ${JSON.stringify(targets)}) {
      const socket = net.connect({ host, port, timeout: ${connectTimeoutMs} })
      socket.on('connect', () => { console.log('reached ' + name); socket.destroy() })
      socket.on('timeout', () => socket.destroy()).on('error', () => {})
    }`
  const out = await kubectl(['exec', from.name, '-n', from.namespace, '--', '/usr/bin/node', '-e', script])
  return new Set([...out.matchAll(/^reached (.+)$/gm)].map((match) => match[1] ?? ''))
}
