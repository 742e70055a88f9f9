// The metrics under their Prometheus names: the original's first, then ours. Numbers are fetched when asked for.

import { type Metric, Registry } from 'prom-client'
import type { Directory } from './discovery/directory.ts'
import type { SourceCounts } from './discovery/source.ts'
import { durationBuckets, mergeSnapshots, methodLabels, type Snapshot, type Totals } from './metrics.ts'

export interface RegistryOptions {
  readonly directory: Directory
  readonly sources: SourceCounts
  /** One snapshot of each loop. */
  readonly collect: () => Promise<readonly Snapshot[]>
}

type Labels = Readonly<Record<string, string | number>>

interface Row {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

/** One scrape reads every metric: they share one collection. */
const shareMs = 20

const totalHelp: Readonly<
  Record<keyof Totals, readonly [kind: 'counter' | 'gauge', name: string, help: string]>
> = {
  clientConnections: ['gauge', 'client_connections', 'Open connections of clients'],
  openStreams: ['gauge', 'open_streams', 'SSE answers being forwarded'],
  podConnections: ['gauge', 'backend_connections', 'Open connections to pods'],
  acceptFailures: ['counter', 'accept_failures_total', 'Connections that could not be accepted'],
  requestsSent: ['counter', 'sent_requests_total', 'Requests written to a pod'],
  retries: ['counter', 'retries_total', 'Requests tried again; no byte of them had been sent'],
  retriesDenied: ['counter', 'retries_denied_total', 'Requests that the retry budget kept from a second try'],
  brokenAnswers: ['counter', 'broken_answers_total', 'Answers that broke off after their head'],
  lostCallbacks: [
    'counter',
    'lost_callbacks_total',
    'Streams ended because a reply to them could not be delivered',
  ],
  heartbeats: ['counter', 'heartbeats_total', 'Comments written into silent streams'],
  accessLogDropped: ['counter', 'access_log_dropped_total', 'Access log lines that were not written'],
}

export function createRegistry(options: RegistryOptions): Registry {
  const { directory, sources } = options
  const registry = new Registry()
  let shared: Promise<Snapshot> | null = null
  const collect = (): Promise<Snapshot> => {
    if (shared === null) {
      shared = options.collect().then(mergeSnapshots)
      setTimeout(() => {
        shared = null
      }, shareMs).unref()
    }
    return shared
  }
  const add = (
    kind: string,
    name: string,
    help: string,
    rows: (snapshot: Snapshot) => Iterable<Row>,
  ): void => {
    addMetric(registry, kind, `stepflow_lb_${name}`, help, async () => [...rows(await collect())])
  }
  const one = (value: () => number) => () => [{ labels: {}, value: value() }]
  const byLabel = (label: string, counts: () => Readonly<Record<string, number>>) => () =>
    Object.entries(counts()).map(([kind, value]) => ({ labels: { [label]: kind }, value }))

  add('counter', 'requests_total', 'Requests given to a pod, by their outcome', requestRows)
  add(
    'histogram',
    'request_duration_ms',
    'From the head of a request to the end of its answer, ms',
    durationRows,
  )
  add('gauge', 'active_connections', 'Requests in flight at a pod', () =>
    directory.reports().map(({ backend, inFlight }) => ({ labels: { backend }, value: inFlight })),
  )
  add('gauge', 'backend_health', '1: the pod takes new work', () =>
    directory.reports().map(({ backend, instanceId, state }) => ({
      labels: { backend, instance_id: instanceId ?? '' },
      value: state === 'ready' || state === 'panic' ? 1 : 0,
    })),
  )
  add(
    'gauge',
    'backend_pool_size',
    'Pods that take new work',
    one(() => directory.reports().filter(({ state }) => state === 'ready' || state === 'panic').length),
  )
  add(
    'counter',
    'discovery_operations_total',
    'Times that a name was looked up',
    one(() => sources.discoveries),
  )

  add(
    'counter',
    'discovery_failures_total',
    'Lookups that failed or came back empty',
    one(() => sources.discoveryFailures),
  )
  add(
    'gauge',
    'known_backends',
    'Pods known, those that left but may hold streams included',
    one(() => directory.reports().length),
  )
  add(
    'gauge',
    'panic',
    '1: no pod is healthy, new work goes to all',
    one(() => (directory.reports().some(({ state }) => state === 'panic') ? 1 : 0)),
  )
  add('counter', 'refusals_total', 'Requests answered by the balancer itself', ({ refusals }) =>
    Array.from(refusals, ([key, value]) => {
      const [status = '', reason = ''] = key.split(' ')
      return { labels: { status, reason }, value }
    }),
  )
  add(
    'counter',
    'faults_total',
    'Transport faults of pods',
    byLabel('kind', () => directory.faults),
  )
  add(
    'counter',
    'health_probes_total',
    'Health checks by result',
    byLabel('result', () => directory.probes),
  )
  add(
    'counter',
    'instance_alarms_total',
    'Instance ids claimed by two pods (duplicate), or new at an old address (changed)',
    byLabel('kind', () => directory.alarms),
  )
  for (const [total, [kind, name, help]] of Object.entries(totalHelp)) {
    add(kind, name, help, ({ totals }) => [{ labels: {}, value: totals[total as keyof Totals] }])
  }
  return registry
}

function* requestRows({ pods }: Snapshot): Iterable<Row> {
  for (const [backend, counts] of pods) {
    for (const [key, value] of counts.requests) {
      const method = methodLabels[Math.floor(key / 1000)]!
      yield { labels: { backend, status: String(key % 1000), method }, value }
    }
  }
}

function* durationRows({ pods }: Snapshot): Iterable<Row> {
  const name = 'stepflow_lb_request_duration_ms'
  for (const [backend, { durations }] of pods) {
    for (const [index, { buckets, sumMs }] of durations) {
      const labels = { backend, method: methodLabels[index]! }
      let below = 0
      for (const [bucket, le] of durationBuckets.entries()) {
        below += buckets[bucket]!
        yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below }
      }
      const count = below + buckets[durationBuckets.length]!
      yield { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count }
      yield { metricName: `${name}_sum`, labels, value: sumMs }
      yield { metricName: `${name}_count`, labels, value: count }
    }
  }
}

/** prom-client's own classes count by label at every call; a registry needs `get` only. */
function addMetric(
  registry: Registry,
  type: string,
  name: string,
  help: string,
  rows: () => Promise<Row[]>,
): void {
  const metric = {
    name,
    get: async () => ({ name, help, type, aggregator: 'sum', values: await rows() }),
    reset() {},
  }
  registry.registerMetric(metric as unknown as Metric)
}
