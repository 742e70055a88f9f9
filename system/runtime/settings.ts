// Flags of the runtime, their environment variables and defaults.

import type { Flags } from '../program/flags.ts'
import { logFlags } from '../program/log.ts'

export const runtimeFlags = {
  host: {
    kind: 'text',
    default: '127.0.0.1',
    env: 'STEPFLOW_HOST',
    help: 'Address to listen on; 0.0.0.0 for all',
  },
  port: {
    kind: 'whole',
    short: 'p',
    default: 7840,
    min: 0,
    max: 65535,
    env: 'STEPFLOW_PORT',
    help: 'Port to listen on; 0 takes a free one',
  },
  config: {
    kind: 'text',
    short: 'c',
    default: null,
    env: 'STEPFLOW_CONFIG',
    help: 'Configuration file (YAML or JSON): plugins, routes, stateStore',
  },
  'config-stdin': { kind: 'switch', help: 'Read the configuration from standard input' },
  'admin-address': {
    kind: 'address',
    default: '127.0.0.1:7841',
    env: 'ADMIN_ADDRESS',
    help: 'Where /livez, /readyz and /metrics are served; port 0 takes a free one',
  },
  'plugin-start-timeout-ms': {
    kind: 'whole',
    default: 60_000,
    min: 0,
    max: 3_600_000,
    env: 'STEPFLOW_PLUGIN_START_TIMEOUT_MS',
    help: 'How long to try again while a plugin has no component server to greet',
  },
  'shutdown-timeout-ms': {
    kind: 'whole',
    default: 25_000,
    min: 0,
    max: 3_600_000,
    env: 'STEPFLOW_SHUTDOWN_TIMEOUT_MS',
    help: 'How long runs in flight may take to end after SIGTERM',
  },
  ...logFlags,
} as const satisfies Flags
