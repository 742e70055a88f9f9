// The autoscaler by open streams on a real cluster: idle streams, which take no CPU, bring pods, and their end takes them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startKubernetesCluster } from '../../harness/cluster/kubernetes/index.ts'
import { createKubectl } from '../../harness/deploy/kubectl.ts'
import { createEmbeddedEngine } from '../../harness/load/index.ts'
import { builtInWorkload } from '../../harness/scenario/workloads.ts'
import { renderAll } from '../../scripts/manifests/render.ts'
import { testLabel } from '../../scripts/tidy-kubernetes.ts'
import { createAuthority } from '../../system/balancer/test-certificates.ts'
import { skipUnless } from '../skip.ts'
import { env, root, run, skip } from './cluster.ts'

t.setTimeout(900_000)

const kubectl = createKubectl(null)
const demo = 'stepflow-demo'
const namespace = `stream-metrics-test-${process.pid}`
const name = 'stream-metrics'
const apiService = 'v1beta2.custom.metrics.k8s.io'
const metric = 'stepflow_component_server_streams_open'
/** For whatever the cluster does in its own time: the autoscaler looks every 15 s. */
const patienceMs = 240_000
/** The target in components/hpa-streams. */
const streamsAPod = 20
/** They ask for 5 pods; the object starts from 3. */
const streams = 90

/** What an installation of prometheus-adapter has too: the API, who answers it, and who may ask. */
function adapterObjects(image: string): object[] {
  const { cert, key } = createAuthority('adapters').issue(`${name}.${namespace}.svc`)
  const meta = { name, namespace }
  const whole = { name: `${namespace}-metrics` }
  const labels = { app: name }
  const rbac = 'rbac.authorization.k8s.io'
  const role = (apiGroups: string[], resources: string[]) => ({
    rules: [{ apiGroups, resources, verbs: ['get', 'list'] }],
  })
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta },
    { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, namespace: demo }, ...role([''], ['pods']) },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace: demo },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', ...meta }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: whole,
      ...role(['custom.metrics.k8s.io'], ['*']),
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: whole,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: whole.name },
      subjects: [{ kind: 'ServiceAccount', name: 'horizontal-pod-autoscaler', namespace: 'kube-system' }],
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta,
      data: {
        'main.mjs': readFileSync(join(import.meta.dirname, 'stream-metrics.mjs'), 'utf8'),
        'tls.crt': cert,
        'tls.key': key,
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { selector: labels, ports: [{ port: 443, targetPort: 6443 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: name,
            containers: [
              {
                name,
                image,
                args: ['/etc/stream-metrics/main.mjs'],
                env: [
                  {
                    name: 'NODE_EXTRA_CA_CERTS',
                    value: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
                  },
                ],
                readinessProbe: { tcpSocket: { port: 6443 }, periodSeconds: 1 },
                volumeMounts: [{ name: 'own', mountPath: '/etc/stream-metrics' }],
              },
            ],
            volumes: [{ name: 'own', configMap: { name } }],
          },
        },
      },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: apiService },
      spec: {
        group: 'custom.metrics.k8s.io',
        version: 'v1beta2',
        service: { name, namespace },
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ]
}

interface Labelled {
  readonly metadata: { readonly labels?: object }
}

/** So that it is found where the test did not come to remove it. */
const labelled = (object: Labelled): object => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, [testLabel]: name } },
})

/** An adapter of the cluster's own is not for a test to replace: why not, else null. */
function installed(): string | null {
  const words = [
    'get',
    'apiservice',
    apiService,
    '--ignore-not-found',
    '-o',
    'jsonpath={.spec.service.namespace}',
  ]
  const where = run('kubectl', words)
  return where === ''
    ? null
    : `${where} serves custom metrics in this cluster, and the test would take its place`
}

interface Autoscaler {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly minReplicas: number; readonly behavior: object }
  readonly status?: {
    readonly desiredReplicas?: number
    readonly currentMetrics?: readonly {
      readonly pods?: {
        readonly metric: { readonly name: string }
        readonly current: { readonly averageValue: string }
      }
    }[]
    readonly conditions?: readonly { readonly type: string; readonly message: string }[]
  }
}

/** What the components `hpa` and `hpa-streams` make of the base, with less patience on the way down. */
function autoscalerObject(): Autoscaler {
  const object = renderAll(root, t.testdir({}))
    .find((rendered) => rendered.name === 'base+rbac+hpa+hpa-streams')
    ?.objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler') as unknown as Autoscaler
  const policies = [{ type: 'Percent', value: 100, periodSeconds: 15 }]
  const scaleDown = { stabilizationWindowSeconds: 15, policies }
  return { ...object, spec: { ...object.spec, behavior: { ...object.spec.behavior, scaleDown } } }
}

t.test(
  'idle streams bring pods, and their end takes them away',
  { skip: skip || skipUnless('custom-metrics', installed()) },
  async (t) => {
    run(process.execPath, ['images/main.ts'])
    run(process.execPath, ['harness/cli/deploy.ts', '--overlay', 'demo'])
    const image = run('kubectl', [
      ...['get', 'deployment', 'component-server', '-n', demo],
      ...['-o', 'jsonpath={.spec.template.spec.containers[?(@.name=="component-server")].image}'],
    ])
    // Before the autoscaler is there: a harness refuses a system whose replicas somebody else sets.
    await using cluster = await startKubernetesCluster({}, env)
    await using engine = await createEmbeddedEngine()
    const autoscaler = autoscalerObject()
    const items = [...adapterObjects(image), autoscaler].map((object) => labelled(object as Labelled))
    const objects = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    t.teardown(async () => {
      await kubectl(['delete', '--ignore-not-found', '--wait=false', '-f', '-'], objects)
      await kubectl(['scale', 'deployment/component-server', '-n', demo, '--replicas=3'])
    })
    await kubectl(['apply', '-f', '-'], objects)
    run('kubectl', ['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=120s'])
    run('kubectl', ['wait', '--for=condition=Available', `apiservice/${apiService}`])

    const look = (): Autoscaler =>
      JSON.parse(
        run('kubectl', ['get', 'hpa', autoscaler.metadata.name, '-n', demo, '-o', 'json']),
      ) as Autoscaler
    /** The most streams a pod that the autoscaler saw until `wanted` were ready. */
    const reached = async (wanted: number): Promise<number> => {
      let most = 0
      const until = Date.now() + patienceMs
      for (;;) {
        const { status } = look()
        const seen = status?.currentMetrics?.find(({ pods }) => pods?.metric.name === metric)?.pods
        most = Math.max(most, quantity(seen?.current.averageValue ?? '0'))
        const ready = (await cluster.pods('component-server')).filter((pod) => pod.ready).length
        if (seen !== undefined && status?.desiredReplicas === wanted && ready === wanted) return most
        if (Date.now() > until)
          throw new Error(`${ready} ready pods, ${wanted} wanted: ${JSON.stringify(status, null, 1)}`)
        await sleep(1_000)
      }
    }
    await reached(autoscaler.spec.minReplicas)

    const enough = new AbortController()
    const load = engine.run({
      target: { kind: 'runs', url: await cluster.serviceUrl('runtime') },
      stop: enough.signal,
      requestPrefix: 'hold',
      workload: builtInWorkload('hold', Math.random, { holdMs: 10_000 }),
      profile: { kind: 'concurrent', users: streams, durationMs: 600_000 },
    })
    try {
      const most = await reached(Math.ceil(streams / streamsAPod))
      t.ok(most > streamsAPod, `it saw ${most} streams a pod, ${streamsAPod} are wanted`)
    } finally {
      enough.abort()
    }
    const { completed, failed, refused, unknown, incorrect, errors } = await load
    t.ok(completed >= streams, `${completed} runs completed`)
    t.same([failed, refused, unknown, incorrect], [0, 0, 0, 0], JSON.stringify(errors))
    await reached(autoscaler.spec.minReplicas)
  },
)

/** Kubernetes' quantities of counts: `30`, `22500m`. */
function quantity(text: string): number {
  return text.endsWith('m') ? Number(text.slice(0, -1)) / 1_000 : Number(text)
}
