// The balancer's flags and environment variables: the original's names, and ours.

import type { Flags } from '../program/flags.ts'
import { logFlags } from '../program/log.ts'

export const balancerFlags = {
  'upstream-service': {
    kind: 'text',
    default: 'component-server.stepflow-demo.svc.cluster.local:8080',
    env: 'UPSTREAM_SERVICE',
    help: 'Where the component servers are: name:port or address:port, several separated by commas',
  },
  'bind-address': {
    kind: 'address',
    default: '127.0.0.1:8080',
    env: 'BIND_ADDRESS',
    help: 'Where requests are accepted',
  },
  'metrics-address': {
    kind: 'address',
    default: '127.0.0.1:9090',
    env: 'METRICS_ADDRESS',
    help: 'Prometheus metrics on any path; may equal --admin-address',
  },
  'admin-address': {
    kind: 'address',
    default: '127.0.0.1:9091',
    env: 'ADMIN_ADDRESS',
    help: '/livez, /readyz and /metrics',
  },
  'drain-delay-ms': {
    kind: 'whole',
    default: 0,
    min: 0,
    max: 600_000,
    env: 'DRAIN_DELAY_MS',
    help: 'After SIGTERM, not ready any more, go on accepting for so long',
  },
  'drain-idle-ms': {
    kind: 'whole',
    default: 5_000,
    min: 0,
    max: 600_000,
    env: 'DRAIN_IDLE_MS',
    help: 'After SIGTERM, close connections idle for so long; more than clients keep theirs idle',
  },
  'shutdown-deadline-ms': {
    kind: 'whole',
    default: 300_000,
    min: 0,
    max: 86_400_000,
    env: 'SHUTDOWN_DEADLINE_MS',
    help: 'After that delay, when requests still open are cut off',
  },
  'max-body-bytes': {
    kind: 'whole',
    default: 67_108_864,
    min: 1,
    max: 1_099_511_627_776,
    env: 'MAX_BODY_BYTES',
    help: 'Longest request body',
  },
  ...logFlags,
} as const satisfies Flags

export const balancerNotes = [
  'It binds to this machine only. To open it to others: --bind-address 0.0.0.0:8080 (and the same for',
  '--admin-address and --metrics-address where probes and scrapers come from elsewhere).',
  'STEPFLOW_DNS=address:port names the DNS server to ask instead of the system resolver.',
  'HISTORY_FILE names a file for the records that a trial is judged by.',
]
