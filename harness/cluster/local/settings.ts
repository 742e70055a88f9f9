// What may be set about the local cluster beyond ClusterOptions: one table of defaults, all times in ms.

import { fileURLToPath } from 'node:url'
import type { Role } from '../../../contracts/cluster.ts'

export const roles: readonly Role[] = ['runtime', 'balancer', 'component-server']

/** `own`: each pod has a loopback address; `shared`: all share 127.0.0.1 and differ by port. */
export type Addressing = 'own' | 'shared'

/** Plain data, for it crosses from the harness to the node agent. */
export interface LocalSettings {
  /** Default `own` where the machine has 127.0.0.0/8 (Linux), else `shared`; LOCAL_ADDRESSING sets it. */
  readonly addressing: Addressing | 'auto'
  /** The program of each role: a file for Node. */
  readonly programs: Readonly<Record<Role, string>>
  /** Between leaving DNS and SIGTERM. Covers the TTL of 1 s and one refresh of whoever cached the answer. */
  readonly preStopMs: number
  /** Of a deleted pod where the caller gives none; Kubernetes' default. */
  readonly gracePeriodMs: number
  /** Pause between two readiness probes. */
  readonly readinessIntervalMs: number
  /** The same until a program is ready for the first time, so that boot is not held up by probing. */
  readonly startupIntervalMs: number
  readonly readinessTimeoutMs: number
  /** Failures in a row after which a ready pod is not ready any more. */
  readonly readinessFailures: number
  /** A program that answers no probe for so long after its start is started again. */
  readonly startupTimeoutMs: number
  readonly livenessIntervalMs: number
  readonly livenessTimeoutMs: number
  /** Generous: a pod frozen by SIGSTOP for half a minute is a fault to study, not one to heal. */
  readonly livenessFailures: number
  /** Crash loop: the first restart is at once, as the kubelet's; the second after this, then doubling. */
  readonly backOffMs: number
  readonly backOffLimitMs: number
  /** A program that ran so long starts over with its back-off. */
  readonly backOffResetMs: number
  /** All pods must be ready this long after the start of the boot. */
  readonly bootTimeoutMs: number
  /** False: never use setpriv, as on macOS. */
  readonly parentDeathSignal: boolean
}

const programFile = (role: Role): string =>
  fileURLToPath(new URL(`../../../system/${role}/main.ts`, import.meta.url))

export const defaultSettings: LocalSettings = {
  addressing: 'auto',
  programs: {
    runtime: programFile('runtime'),
    balancer: programFile('balancer'),
    'component-server': programFile('component-server'),
  },
  preStopMs: 1_500,
  gracePeriodMs: 30_000,
  readinessIntervalMs: 250,
  startupIntervalMs: 50,
  readinessTimeoutMs: 1_000,
  readinessFailures: 3,
  startupTimeoutMs: 60_000,
  livenessIntervalMs: 5_000,
  livenessTimeoutMs: 5_000,
  livenessFailures: 6,
  backOffMs: 500,
  backOffLimitMs: 10_000,
  backOffResetMs: 20_000,
  bootTimeoutMs: 30_000,
  parentDeathSignal: true,
}

/** Replicas of a fresh cluster, as the architecture document has them. */
export const defaultReplicas: Readonly<Record<Role, number>> = {
  runtime: 1,
  balancer: 2,
  'component-server': 3,
}

/** The runtime's stepflow-config.yml, as the architecture document has it. */
export const defaultRuntimeConfig = `plugins:
  builtin: { type: builtin }
  k8s_components: { type: stepflow, transport: http, url: "http://pingora-lb.stepflow-demo.svc.cluster.local:8080" }
routes:
  "/python/{*component}": [{ plugin: k8s_components }]
  "/{*component}": [{ plugin: builtin }]
stateStore: { type: inMemory }
`
