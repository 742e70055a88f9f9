// The balancer's watch of EndpointSlices against a real API: pods that become ready, unready, and terminate.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { type Balancer, onePool, startBalancer } from '../../system/balancer/balancer.ts'
import type { KubernetesApi } from '../../system/balancer/discovery/endpoint-slices.ts'
import { type Owner, send, silentLog, takers, until } from '../../system/balancer/test-support.ts'
import { noHistory } from '../../system/program/history.ts'
import { env, run, skip } from './cluster.ts'

t.setTimeout(600_000)

const namespace = `balancer-test-${process.pid}`
const host = `pods.${namespace}.svc.cluster.local`
const maxDelayMs = 2_000
/** For whatever the cluster does in its own time. */
const patienceMs = 120_000

/** The pods are a web server and three files: health answer, name, and `ready`, which makes them so. */
const script = `mkdir -p /tmp/www && cd /tmp/www && hostname > index.html && touch ready &&
printf '{"status":"healthy","instanceId":"%s"}' "$(hostname)" > health
trap "" TERM
httpd -f -p 8080 -h /tmp/www & wait; wait`

function manifest(image: string): string {
  const labels = { app: 'pods' }
  const meta = (name: string) => ({ name, namespace })
  const readinessProbe = { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('balancer') },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: meta('balancer'),
      rules: [
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: meta('balancer'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'balancer' },
      subjects: [{ kind: 'ServiceAccount', name: 'balancer', namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta('pods'),
      spec: { clusterIP: 'None', selector: labels, ports: [{ port: 8080, targetPort: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta('pods'),
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 10,
            containers: [{ name: 'pod', image, command: ['sh', '-c', script], readinessProbe }],
          },
        },
      },
    },
  ]
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
}

interface ApiPod {
  readonly metadata: { readonly name: string }
  readonly status: {
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

const kubectl = (...args: readonly string[]): string => run('kubectl', ['-n', namespace, ...args])

function pods(): readonly { readonly name: string; readonly backend: string; readonly ready: boolean }[] {
  const { items } = JSON.parse(kubectl('get', 'pods', '-o', 'json')) as { readonly items: readonly ApiPod[] }
  return items.map(({ metadata, status }) => ({
    name: metadata.name,
    backend: `${status.podIP ?? ''}:8080`,
    ready: status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true,
  }))
}

/** When the API first says that three pods are ready, on this process's clock. */
async function thirdReadyAt(owner: Owner): Promise<number> {
  const line = '{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}'
  const args = ['-n', namespace, 'get', 'pods', '--watch', '-o', `jsonpath=${line}`]
  const child = spawn('kubectl', args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  owner.teardown(async () => {
    child.kill()
    await exited
  })
  const ready = new Set<string>()
  for await (const text of createInterface({ input: child.stdout })) {
    const [name = '', status] = text.split(' ')
    if (status === 'True') ready.add(name)
    if (ready.size === 3) return performance.now()
  }
  throw new Error('the watch ended')
}

/** The API with the rights that the manifests give to balancers, and no more. */
function findApi(): KubernetesApi {
  const config = JSON.parse(kubectl('config', 'view', '--raw', '--minify', '--flatten', '-o', 'json')) as {
    readonly clusters: readonly {
      readonly cluster: { readonly server: string; readonly 'certificate-authority-data'?: string }
    }[]
  }
  const { server, 'certificate-authority-data': authority } = config.clusters[0]!.cluster
  const token = kubectl('create', 'token', 'balancer').trim()
  const ca = authority === undefined ? undefined : Buffer.from(authority, 'base64').toString()
  return { base: server, token: async () => token, ca }
}

async function start(owner: Owner, kubernetes: KubernetesApi): Promise<Balancer> {
  const balancer = await startBalancer({
    pools: onePool([{ host, port: 8080 }]),
    bind: { host: '127.0.0.1', port: 0 },
    kubernetes,
    // What is found is found by the API.
    resolve: async () => {
      throw new Error('no DNS here')
    },
    log: silentLog,
    history: noHistory,
    pod: 'balancer-test',
  })
  owner.teardown(() => balancer.close())
  return balancer
}

const get = async (owner: Owner, balancer: Balancer, instanceId?: string) => {
  const pinned = instanceId === undefined ? '' : `Stepflow-Instance-Id: ${instanceId}\r\n`
  const { status, body } = await send(owner, balancer.port, `GET / HTTP/1.1\r\nHost: pods\r\n${pinned}\r\n`)
  return { status, name: body.trim() }
}

const stateOf = (balancer: Balancer, backend: string) =>
  balancer.directory.reports().find((one) => one.backend === backend)?.state

t.test(
  'follows ready, serving and terminating, and gives new pods work within 2 s',
  { skip, timeout: 600_000 },
  async (t) => {
    t.teardown(() => run('kubectl', ['delete', 'namespace', namespace, '--wait=false']))
    const nodes = run('kubectl', ['get', 'nodes', '-o', 'json'])
    const image = nodes.includes('kubekit/tools:1') ? 'kubekit/tools:1' : 'busybox:1.36'
    const list = manifest(image)
    run('sh', ['-c', 'printf %s "$LIST" | kubectl apply -f -'], { LIST: list })
    kubectl('rollout', 'status', 'deployment/pods', '--timeout=120s')
    const api = findApi()
    const balancer = await start(t, api)
    await until(() => takers(balancer).length === 2, patienceMs)

    // A third pod: from the moment the API says that it is ready.
    kubectl('scale', 'deployment/pods', '--replicas=3')
    const readyAt = thirdReadyAt(t)
    await until(() => takers(balancer).length === 3, patienceMs)
    const takesAt = performance.now()
    const delayMs = Math.max(0, takesAt - (await readyAt))
    t.ok(delayMs < maxDelayMs, `${delayMs.toFixed(0)} ms after it was ready`)
    const [sick, leaving] = pods() as [ReturnType<typeof pods>[number], ReturnType<typeof pods>[number]]

    // Not ready any more: no new work, callbacks all the same.
    kubectl('exec', sick.name, '--', 'rm', '/tmp/www/ready')
    await until(() => stateOf(balancer, sick.backend) === 'draining', patienceMs)
    t.same(await get(t, balancer, sick.name), { status: 200, name: sick.name })
    for (let call = 0; call < 6; call++) t.not((await get(t, balancer)).name, sick.name)
    kubectl('exec', sick.name, '--', 'touch', '/tmp/www/ready')
    await until(() => stateOf(balancer, sick.backend) === 'ready', patienceMs)

    // Terminating, but serving: the same, also by a balancer that never saw it ready.
    kubectl('delete', 'pod', leaving.name, '--wait=false')
    await until(() => stateOf(balancer, leaving.backend) === 'draining', patienceMs)
    const late = await start(t, api)
    await until(() => takers(late).length >= 2, patienceMs)
    for (const one of [balancer, late]) {
      t.same(await get(t, one, leaving.name), { status: 200, name: leaving.name })
      for (let call = 0; call < 6; call++) t.not((await get(t, one)).name, leaving.name)
    }
    // And gone in the end, for good.
    await until(async () => (await get(t, balancer, leaving.name)).status === 503, patienceMs)
    await until(() => stateOf(balancer, leaving.backend) === undefined, patienceMs)
  },
)
