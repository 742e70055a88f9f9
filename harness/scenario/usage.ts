// What a pod holds and says of itself, read from its admin listener as records of the history.

import type { Role } from '../../contracts/cluster.ts'
import type { PodHealth, PodUsage } from '../../contracts/history.ts'
import { samplesOf, sumOf } from './prometheus.ts'

/** Gauges of each role that are 0 when nothing is under way, by what they count. */
const openGauges: Readonly<Record<Role, Readonly<Record<string, string>>>> = {
  runtime: {
    'runs in flight': 'stepflow_runtime_runs_in_flight',
    'runs waiting': 'stepflow_runtime_runs_waiting',
  },
  balancer: {
    'requests in flight': 'stepflow_lb_active_connections',
    'streams open': 'stepflow_lb_open_streams',
  },
  'component-server': {
    'calls open': 'stepflow_component_server_calls_open',
    'streams open': 'stepflow_component_server_streams_open',
    'callbacks unanswered': 'stepflow_component_server_callbacks_unanswered',
  },
}

/** Counters of each role, by the kind of record that goes with each count. */
const countGauges: Readonly<Record<Role, Readonly<Record<string, string>>>> = {
  runtime: { 'run.ended': 'stepflow_runtime_runs_total' },
  // Requests that reached no pod, and health checks, are counted otherwise than recorded.
  balancer: {},
  'component-server': { 'execute.answered': 'stepflow_component_server_calls_total' },
}

type Figures = Pick<PodUsage, 'open' | 'counted' | 'heapBytes' | 'memoryBytes' | 'timers' | 'files'>

/** What a pod's /metrics say that it holds. Figures that it does not have are absent, or 0 where work is counted. */
export function usageOf(text: string, role: Role): Figures {
  const open = Object.entries(openGauges[role]).map(([what, gauge]) => [what, sumOf(text, gauge) ?? 0])
  const counted = Object.entries(countGauges[role]).map(([kind, name]) => [kind, sumOf(text, name) ?? 0])
  const heap = sumOf(text, 'nodejs_heap_size_used_bytes')
  const outside = sumOf(text, 'nodejs_external_memory_bytes') ?? 0
  const memory = sumOf(text, 'process_resident_memory_bytes')
  const files = sumOf(text, 'process_open_fds')
  // A type that nothing is of is not listed.
  const listsResources = sumOf(text, 'nodejs_active_resources') !== null
  const timers = listsResources ? (sumOf(text, 'nodejs_active_resources', 'type="Timeout"') ?? 0) : null
  return {
    open: Object.fromEntries(open),
    ...(counted.length === 0 ? {} : { counted: Object.fromEntries(counted) }),
    ...(heap === null ? {} : { heapBytes: heap + outside }),
    ...(memory === null ? {} : { memoryBytes: memory }),
    ...(timers === null ? {} : { timers }),
    // Elsewhere than on Linux it is told as 0.
    ...(files === null || files === 0 ? {} : { files }),
  }
}

/** A balancer's word on each component server that it knows, by instance id. */
export function backendsOf(text: string): Readonly<Record<string, boolean>> {
  const rows = samplesOf(text, 'stepflow_lb_backend_health').map(({ labels, value }) => {
    const id = /instance_id="([^"]*)"/.exec(labels)?.[1] ?? ''
    return [id, value > 0] as const
  })
  return Object.fromEntries(rows.filter(([id]) => id !== ''))
}

/** Milliseconds a pod has to say whether it is ready; it is asked at least once a second by the cluster too. */
const healthTimeoutMs = 1_000

/** What a pod says of its readiness now. */
export async function askHealth(adminUrl: string): Promise<PodHealth['says']> {
  try {
    const response = await fetch(`${adminUrl}/readyz`, { signal: AbortSignal.timeout(healthTimeoutMs) })
    await response.arrayBuffer()
    return response.ok ? 'ready' : 'not ready'
  } catch {
    return 'nothing'
  }
}
