// Stands in for prometheus-adapter in a test cluster: serves the custom metrics API with what the pods' own /metrics say.
// It runs in a pod, from a ConfigMap: Node's own modules only.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const version = 'v1beta2'
const group = `/apis/custom.metrics.k8s.io/${version}`
const account = '/var/run/secrets/kubernetes.io/serviceaccount'
const own = '/etc/stream-metrics'

/** The one series, summed over its labels; 0 where the pod does not have it. */
async function readGauge(pod, metric) {
  const [admin] = pod.spec.containers.flatMap(({ ports = [] }) =>
    ports.filter(({ name }) => name === 'admin'),
  )
  const answer = await fetch(`http://${pod.status.podIP}:${admin.containerPort}/metrics`, {
    signal: AbortSignal.timeout(2_000),
  })
  const lines = (await answer.text()).split('\n').filter((line) => line.replace(/[{ ].*/, '') === metric)
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

async function readPods(namespace, selector) {
  const query = new URLSearchParams({ labelSelector: selector, fieldSelector: 'status.phase=Running' })
  const answer = await fetch(`https://kubernetes.default.svc/api/v1/namespaces/${namespace}/pods?${query}`, {
    headers: { authorization: `Bearer ${readFileSync(`${account}/token`, 'utf8')}` },
  })
  if (!answer.ok) throw new Error(`listing pods: ${answer.status} ${await answer.text()}`)
  return (await answer.json()).items
}

async function answer(target) {
  const { pathname, searchParams } = new URL(target, 'https://adapter')
  if (pathname === group) {
    const name = 'pods/stepflow_component_server_streams_open'
    const resource = { name, singularName: '', namespaced: true, kind: 'MetricValueList', verbs: ['get'] }
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: group.slice(6), resources: [resource] }
  }
  const [, namespace, metric] =
    /\/namespaces\/([^/]+)\/pods\/\*\/([^/]+)$/.exec(decodeURIComponent(pathname)) ?? []
  if (!pathname.startsWith(group) || namespace === undefined) return null
  const items = []
  for (const pod of await readPods(namespace, searchParams.get('labelSelector') ?? '')) {
    try {
      const value = String(await readGauge(pod, metric))
      const { name } = pod.metadata
      const describedObject = { kind: 'Pod', apiVersion: 'v1', namespace, name }
      items.push({ describedObject, metric: { name: metric }, timestamp: new Date().toISOString(), value })
    } catch (error) {
      // A pod that starts or goes has no figure; the autoscaler knows what to make of that.
      console.error(pod.metadata.name, error.message)
    }
  }
  return { kind: 'MetricValueList', apiVersion: group.slice(6), metadata: {}, items }
}

createServer(
  { cert: readFileSync(`${own}/tls.crt`), key: readFileSync(`${own}/tls.key`) },
  (request, response) => {
    answer(request.url).then(
      (body) => {
        response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' })
        response.end(
          JSON.stringify(
            body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, message: request.url },
          ),
        )
      },
      (error) => {
        console.error(request.url, error)
        response.writeHead(500).end(String(error))
      },
    )
  },
).listen(6443, '0.0.0.0')
process.on('SIGTERM', () => process.exit(0))
