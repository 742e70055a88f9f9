// The balancer's flags and environment variables: the original's names, and ours.

import type { Flags } from '../program/flags.ts'
import { telemetryFlags } from '../program/telemetry.ts'
import { defaultLimits } from './limits.ts'

const dayMs = 86_400_000

export const balancerFlags = {
  'upstream-service': {
    kind: 'text',
    default: 'component-server.stepflow-demo.svc.cluster.local:8080',
    env: 'UPSTREAM_SERVICE',
    help: 'Where the component servers are: name:port or address:port, several separated by commas',
  },
  'upstream-affinity-service': {
    kind: 'text',
    default: null,
    env: 'UPSTREAM_AFFINITY_SERVICE',
    help: 'A name for the same pods that also has those not ready or terminating: for callbacks only',
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
    help: '/livez, /readyz, /metrics, /backends (also to drain them), POST /reload',
  },
  config: {
    kind: 'text',
    default: null,
    env: 'BALANCER_CONFIG',
    help: 'YAML file with pools, routing rules and limits; read again on SIGHUP or POST /reload',
  },
  discovery: {
    kind: 'choice',
    choices: ['auto', 'dns'],
    default: 'auto',
    env: 'DISCOVERY',
    help: 'auto watches EndpointSlices in a cluster that permits it (get, list, watch), else DNS',
  },
  threads: {
    kind: 'whole',
    default: 1,
    min: 1,
    max: 64,
    env: 'THREADS',
    help: 'Threads that relay; they share the port (Linux)',
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
    default: defaultLimits.drainIdleMs,
    min: 0,
    max: 600_000,
    env: 'DRAIN_IDLE_MS',
    help: 'After SIGTERM, close connections idle for so long; more than clients keep theirs idle',
  },
  'shutdown-deadline-ms': {
    kind: 'whole',
    default: 300_000,
    min: 0,
    max: dayMs,
    env: 'SHUTDOWN_DEADLINE_MS',
    help: 'After that delay, when requests still open are cut off',
  },
  'max-body-bytes': {
    kind: 'whole',
    default: defaultLimits.maxBodyBytes,
    min: 1,
    max: 1_099_511_627_776,
    env: 'MAX_BODY_BYTES',
    help: 'Longest request body',
  },
  'heartbeat-ms': {
    kind: 'whole',
    default: defaultLimits.heartbeatMs,
    min: 0,
    max: dayMs,
    env: 'HEARTBEAT_MS',
    help: 'Write a comment into a stream that was silent for so long; 0 never',
  },
  'stream-idle-ms': {
    kind: 'whole',
    default: defaultLimits.streamIdleMs,
    min: 0,
    max: dayMs,
    env: 'STREAM_IDLE_MS',
    help: 'End a stream whose pod is silent for so long with an error; 0 never',
  },
  'slow-start-ms': {
    kind: 'whole',
    default: defaultLimits.slowStartMs,
    min: 0,
    max: dayMs,
    env: 'SLOW_START_MS',
    help: 'A new pod takes its full share of work after this; 0 at once',
  },
  'access-log-every': {
    kind: 'whole',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    env: 'ACCESS_LOG_EVERY',
    help: 'Log one in so many requests, and every failure; 0 none',
  },
  'tls-cert': {
    kind: 'text',
    default: null,
    env: 'TLS_CERT',
    help: 'PEM certificate for clients; with --tls-key the balancer speaks TLS',
  },
  'tls-key': {
    kind: 'text',
    default: null,
    env: 'TLS_KEY',
    help: 'PEM key of --tls-cert',
  },
  'tls-client-ca': {
    kind: 'text',
    default: null,
    env: 'TLS_CLIENT_CA',
    help: 'PEM authorities that clients must have a certificate of (mTLS)',
  },
  'upstream-ca': {
    kind: 'text',
    default: null,
    env: 'UPSTREAM_CA',
    help: 'PEM authorities of the pods: they are spoken to by TLS',
  },
  'upstream-cert': {
    kind: 'text',
    default: null,
    env: 'UPSTREAM_CERT',
    help: 'PEM certificate shown to pods (mTLS)',
  },
  'upstream-key': {
    kind: 'text',
    default: null,
    env: 'UPSTREAM_KEY',
    help: 'PEM key of --upstream-cert',
  },
  'upstream-server-name': {
    kind: 'text',
    default: null,
    env: 'UPSTREAM_SERVER_NAME',
    help: 'Name that the certificates of pods must bear; without it their authority has to do',
  },
  ...telemetryFlags,
} as const satisfies Flags

export const balancerNotes = [
  'It binds to this machine only. To open it to others: --bind-address 0.0.0.0:8080 (and the same for',
  '--admin-address and --metrics-address where probes and scrapers come from elsewhere).',
  'STEPFLOW_DNS=address:port names the DNS server to ask instead of the system resolver.',
  'HISTORY_FILE names a file for the records that a trial is judged by.',
]
