// The balancer's metrics: plain numbers while it works, given names and labels when somebody asks.

import { type Metric, Registry } from 'prom-client'
import type { Pod, Pods } from './pods.ts'
import type { UpstreamPool } from './upstream.ts'

/** Upper bounds of the duration histogram, ms: the original's. */
export const durationBuckets = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

/** Methods with a label value of their own; a client cannot make up more. */
const methods = ['POST', 'GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'OTHER'] as const

/** Pods that left keep their counters, up to so many. */
const maxCounted = 2048

interface Durations {
  readonly buckets: number[]
  sum: number
  count: number
}

class PodCounts {
  /** By method index * 1000 + status. */
  readonly requests = new Map<number, number>()
  /** By method index. */
  readonly durations: (Durations | undefined)[] = []
}

export class Metrics {
  readonly #byPod = new Map<string, PodCounts>()
  #lastPod: Pod | null = null
  #lastCounts: PodCounts | null = null
  readonly #refusals = new Map<string, number>()
  clientConnections = 0
  acceptFailures = 0
  openStreams = 0
  brokenAnswers = 0
  retries = 0
  /** Requests written to a pod. */
  requestsSent = 0
  discoveries = 0
  discoveryFailures = 0
  readonly probes = { good: 0, bad: 0, slow: 0, busy: 0, fault: 0 }
  readonly faults = { refused: 0, reset: 0, timeout: 0 }

  sent(_pod: Pod): void {
    this.requestsSent++
  }

  retried(): void {
    this.retries++
  }

  /** A request that was given to `pod` ended. */
  finished(pod: Pod, method: string, status: number, durationMs: number): void {
    const counts = pod === this.#lastPod ? this.#lastCounts! : this.#countsOf(pod)
    const index = methodIndex(method)
    const key = index * 1000 + status
    counts.requests.set(key, (counts.requests.get(key) ?? 0) + 1)
    const durations = (counts.durations[index] ??= {
      buckets: new Array<number>(durationBuckets.length + 1).fill(0),
      sum: 0,
      count: 0,
    })
    let bucket = 0
    while (bucket < durationBuckets.length && durationMs > durationBuckets[bucket]!) bucket++
    durations.buckets[bucket]!++
    durations.sum += durationMs
    durations.count++
  }

  refused(status: number, reason: string): void {
    const key = `${status} ${reason}`
    this.#refusals.set(key, (this.#refusals.get(key) ?? 0) + 1)
  }

  #countsOf(pod: Pod): PodCounts {
    let counts = this.#byPod.get(pod.key)
    if (counts === undefined) {
      counts = new PodCounts()
      this.#byPod.set(pod.key, counts)
      if (this.#byPod.size > maxCounted) {
        for (const oldest of this.#byPod.keys()) {
          this.#byPod.delete(oldest)
          break
        }
      }
    }
    this.#lastPod = pod
    this.#lastCounts = counts
    return counts
  }

  /** All metrics under their Prometheus names, read when the registry is asked. */
  registry(pods: Pods, pool: UpstreamPool): Registry {
    const registry = new Registry()
    const add = (
      kind: 'counter' | 'gauge',
      name: string,
      help: string,
      values: () => Iterable<readonly [labels: Labels, value: number]>,
    ): void => {
      addMetric(registry, kind, `stepflow_lb_${name}`, help, () =>
        Array.from(values(), ([labels, value]) => ({ labels, value })),
      )
    }
    const one = (value: () => number) => (): [Labels, number][] => [[{}, value()]]

    // The original's.
    add('counter', 'requests_total', 'Requests given to a pod, by their outcome', () => this.#requestRows())
    addMetric(
      registry,
      'histogram',
      'stepflow_lb_request_duration_ms',
      'From the head of a request to the end of its answer, ms',
      () => this.#durationRows(),
    )
    add('gauge', 'active_connections', 'Requests in flight at a pod', () =>
      Array.from(pods.all, (pod) => [{ backend: pod.key }, pods.inFlight(pod)] as const),
    )
    add('gauge', 'backend_health', '1: the pod takes new work', () =>
      Array.from(
        pods.all,
        (pod) => [{ backend: pod.key, instance_id: pod.instanceId ?? '' }, pod.takesWork ? 1 : 0] as const,
      ),
    )
    add(
      'gauge',
      'backend_pool_size',
      'Pods that take new work',
      one(() => pods.takers.length),
    )
    add(
      'counter',
      'discovery_operations_total',
      'Rounds of discovery',
      one(() => this.discoveries),
    )

    // Ours.
    add(
      'counter',
      'discovery_failures_total',
      'Rounds that failed or came back empty',
      one(() => this.discoveryFailures),
    )
    add(
      'gauge',
      'known_backends',
      'Pods known, those that left but may hold streams included',
      one(() => pods.size),
    )
    add('counter', 'refusals_total', 'Requests answered by the balancer itself', () =>
      Array.from(this.#refusals, ([key, value]) => {
        const [status = '', reason = ''] = key.split(' ')
        return [{ status, reason }, value] as const
      }),
    )
    add(
      'counter',
      'sent_requests_total',
      'Requests written to a pod',
      one(() => this.requestsSent),
    )
    add(
      'counter',
      'retries_total',
      'Requests tried at another pod; no byte had been sent',
      one(() => this.retries),
    )
    add(
      'counter',
      'broken_answers_total',
      'Answers that broke off after their head',
      one(() => this.brokenAnswers),
    )
    add(
      'gauge',
      'open_streams',
      'SSE answers being forwarded',
      one(() => this.openStreams),
    )
    add(
      'gauge',
      'client_connections',
      'Open connections of clients',
      one(() => this.clientConnections),
    )
    add(
      'gauge',
      'backend_connections',
      'Open connections to pods',
      one(() => pool.open),
    )
    add('counter', 'faults_total', 'Transport faults of pods', () =>
      Object.entries(this.faults).map(([kind, value]) => [{ kind }, value] as const),
    )
    add('counter', 'health_probes_total', 'Health checks by result', () =>
      Object.entries(this.probes).map(([result, value]) => [{ result }, value] as const),
    )
    add(
      'counter',
      'instance_alarms_total',
      'Instance ids claimed by two pods, or changed at one address',
      () => Object.entries(pods.affinity.alarms).map(([kind, value]) => [{ kind }, value] as const),
    )
    return registry
  }

  *#requestRows(): Iterable<readonly [Labels, number]> {
    for (const [backend, counts] of this.#byPod) {
      for (const [key, value] of counts.requests) {
        yield [{ backend, status: String(key % 1000), method: methods[Math.floor(key / 1000)]! }, value]
      }
    }
  }

  #durationRows(): Row[] {
    const rows: Row[] = []
    const name = 'stepflow_lb_request_duration_ms'
    for (const [backend, counts] of this.#byPod) {
      counts.durations.forEach((durations, index) => {
        if (durations === undefined) return
        const labels = { backend, method: methods[index]! }
        let below = 0
        durationBuckets.forEach((le, bucket) => {
          below += durations.buckets[bucket]!
          rows.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below })
        })
        rows.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: durations.count })
        rows.push({ metricName: `${name}_sum`, labels, value: durations.sum })
        rows.push({ metricName: `${name}_count`, labels, value: durations.count })
      })
    }
    return rows
  }
}

type Labels = Readonly<Record<string, string | number>>

interface Row {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

function methodIndex(method: string): number {
  if (method === 'POST') return 0
  const index = methods.indexOf(method as (typeof methods)[number])
  return index === -1 ? methods.length - 1 : index
}

/** prom-client's own classes count by label at every call; a registry needs `get` only. */
function addMetric(registry: Registry, type: string, name: string, help: string, rows: () => Row[]): void {
  const metric = {
    name,
    get: async () => ({ name, help, type, aggregator: 'sum', values: rows() }),
    reset() {},
  }
  registry.registerMetric(metric as unknown as Metric)
}
