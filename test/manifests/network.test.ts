// Who can talk to whom under the policies of k8s/components/netpol, by trying every pair. Whether policies are enforced
// at all is asked first, by a flow that they must refuse: a cluster that lets it through is a reason to skip, and said.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import t from 'tap'
import { skipUnless } from '../skip.ts'

const root = join(import.meta.dirname, '../..')
const image = process.env['TEST_IMAGE'] ?? 'stepflow-gauntlet:0.1.0'
const own = `sfn-${process.pid}`
const other = `${own}-other`

/** Parties: a pod each, with the labels of the one it stands for. Servers listen where the real ones do. */
const parties: readonly {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly ports: readonly number[]
}[] = [
  { name: 'runtime', namespace: own, labels: { app: 'stepflow-server' }, ports: [7840, 7841] },
  { name: 'balancer', namespace: own, labels: { app: 'pingora-lb' }, ports: [8080, 9091] },
  { name: 'component', namespace: own, labels: { app: 'component-server' }, ports: [8080, 8081] },
  { name: 'gpu', namespace: own, labels: { app: 'gpu-server' }, ports: [8080, 8081] },
  { name: 'client', namespace: own, labels: { 'stepflow/client': 'true' }, ports: [] },
  { name: 'stranger', namespace: own, labels: { app: 'stranger' }, ports: [8080] },
  { name: 'far-client', namespace: other, labels: { 'stepflow/client': 'true' }, ports: [] },
  { name: 'far-stranger', namespace: other, labels: { app: 'stranger' }, ports: [8080] },
]

/** The flow matrix of docs/network.md; all else is refused. */
const allowed: ReadonlySet<string> = new Set([
  'client runtime:7840',
  'far-client runtime:7840',
  'runtime balancer:8080',
  'balancer component:8080',
  'balancer gpu:8080',
])

function kubectl(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly out: string } {
  const { status, stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8', timeout: 120_000, input })
  return { status, out: `${stdout ?? ''}${stderr ?? ''}` }
}

function must(args: readonly string[], input?: string): string {
  const { status, out } = kubectl(args, input)
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${out}`)
  return out
}

function policies(): string {
  const folder = mkdtempSync(join(tmpdir(), 'network-'))
  try {
    const at = join(folder, 'k')
    mkdirSync(at)
    const from = JSON.stringify(relative(at, join(root, 'k8s/components/netpol')))
    writeFileSync(join(at, 'kustomization.yaml'), `namespace: ${own}\ncomponents: [${from}]\n`)
    return execFileSync('kubectl', ['kustomize', at], { encoding: 'utf8' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function podOf({ name, namespace, labels, ports }: (typeof parties)[number]): unknown {
  const listen = `for (const port of ${JSON.stringify(ports)}) require('net').createServer((s) => s.end()).listen(port); setInterval(() => {}, 1e6)`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'node', image, imagePullPolicy: 'IfNotPresent', args: ['-e', listen] }],
    },
  }
}

/** Which of `targets` (`name host port`) can be reached from a party. */
function reached(
  from: (typeof parties)[number],
  targets: readonly (readonly [string, string, number])[],
): Set<string> {
  const script = `
    const net = require('net')
    for (const [name, host, port] of ${JSON.stringify(targets)}) {
      const socket = net.connect({ host, port, timeout: 2000 })
      socket.on('connect', () => { console.log('reached ' + name); socket.destroy() })
      socket.on('timeout', () => socket.destroy()).on('error', () => {})
    }`
  const out = must(['-n', from.namespace, 'exec', from.name, '--', '/usr/bin/node', '-e', script])
  return new Set([...out.matchAll(/^reached (.+)$/gm)].map((match) => match[1]!))
}

function lacking(): string | null {
  const nodes = kubectl([
    'get',
    'nodes',
    '-o',
    'jsonpath={.items[*].status.images[*].names}',
    '--request-timeout=5s',
  ])
  if (nodes.status !== 0) return 'kubectl reaches no cluster'
  return nodes.out.includes(image) ? null : `the nodes have no ${image}: npm run images`
}

const reason = lacking()
t.test('network policies on a cluster', { skip: skipUnless('kubernetes', reason) }, async (t) => {
  t.teardown(() => kubectl(['delete', 'namespace', own, other, '--wait=false', '--ignore-not-found']))
  for (const namespace of [own, other]) must(['create', 'namespace', namespace])
  must(['apply', '-f', '-'], policies())
  must(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: parties.map(podOf) }))
  for (const namespace of [own, other])
    must(['-n', namespace, 'wait', 'pod', '--all', '--for=condition=Ready', '--timeout=90s'])
  const addresses = new Map(
    parties.map(({ name, namespace }) => [
      name,
      must(['-n', namespace, 'get', 'pod', name, '-o', 'jsonpath={.status.podIP}']),
    ]),
  )
  const targets = parties.flatMap(({ name, ports }) =>
    ports.map((port) => [`${name}:${port}`, addresses.get(name) ?? '', port] as const),
  )
  const flows = parties.map((from) => {
    const others = targets.filter(([name]) => !name.startsWith(`${from.name}:`))
    return { from, others, got: reached(from, others) }
  })

  t.test('every flow of the matrix gets through', async (t) => {
    for (const flow of allowed) {
      const [from, target] = flow.split(' ') as [string, string]
      t.ok(flows.find((one) => one.from.name === from)?.got.has(target), flow)
    }
  })

  const stranger = flows.find(({ from }) => from.name === 'stranger')
  const open = stranger?.got.has('component:8080') ?? true
  const why = open
    ? 'not enforced here: a stranger reached component-server:8080 through the default deny'
    : null
  t.test('nothing else does', { skip: skipUnless('networkpolicy', why) }, async (t) => {
    for (const { from, others, got } of flows) {
      // What leaves the far namespace for itself is nobody's business here.
      for (const [target] of others.filter(([name]) => from.namespace === own || !name.startsWith('far-'))) {
        if (!allowed.has(`${from.name} ${target}`))
          t.notOk(got.has(target), `${from.name} to ${target} is refused`)
      }
    }
  })
})
