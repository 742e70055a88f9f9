// Boots a local cluster: starts the node agent, waits for every pod, and says why where one does not come.

import { rm } from 'node:fs/promises'
import { isAbsolute, resolve as resolvePath } from 'node:path'
import type { Cluster, ClusterOptions } from '../../../contracts/cluster.ts'
import { GauntletError } from '../../../contracts/errors.ts'
import { startAgent } from './agent-link.ts'
import { signalGroup } from './launch.ts'
import { assertReplicas, LocalCluster } from './local-cluster.ts'
import { readLog } from './pod-files.ts'
import { type KnownPod, PodTable, settled } from './pod-table.ts'
import type { Booted, BootPlan } from './protocol.ts'
import {
  defaultReplicas,
  defaultRuntimeConfig,
  defaultSettings,
  type LocalSettings,
  roles,
} from './settings.ts'

/** Last lines of a log that an error quotes. */
const quotedLines = 15
const quotedBytes = 4_000

/**
 * Boots runtime, balancers and component servers as processes of this machine and resolves once all are ready.
 * Needs nothing but Node 24. Whatever kills the harness, no process and no port stays; on Linux with util-linux's
 * setpriv not even when the node agent is killed too, and then the next start removes the temporary folder.
 *
 * The environment variable LOCAL_ADDRESSING=shared puts all pods on 127.0.0.1 as on macOS.
 *
 * @param settings times, programs and addressing; for tests
 * @throws GauntletError ERR_CLUSTER naming the pod that did not start, with the end of its log;
 *   ERR_TIMEOUT; ERR_ENVIRONMENT; the signal's reason
 * @example
 * await using cluster = await startLocalCluster({})
 * const runs = `${await cluster.serviceUrl('runtime')}/api/v1/runs`
 */
export async function startLocalCluster(
  options: ClusterOptions = {},
  settings: Partial<LocalSettings> = {},
): Promise<Cluster> {
  options.signal?.throwIfAborted()
  const plan = bootPlan(options, { ...defaultSettings, ...addressingFromEnv(), ...settings })
  const table = new PodTable()
  let booted: Booted | null = null
  const link = startAgent({
    onPod: ({ event, status }) => table.update(event, status),
    onStatus: ({ name, status }) => table.updateStatus(name, status),
    onLost: (error) => {
      table.fail(error)
      if (booted !== null) cleanUpAfterAgent(booted, table, plan)
    },
  })
  const abort = (): void => void link.stop()
  options.signal?.addEventListener('abort', abort)
  try {
    booted = await link.request({ kind: 'boot', plan })
    await allReady(table, plan, booted, options.signal)
    options.signal?.throwIfAborted()
    return new LocalCluster(link, table, plan, booted)
  } catch (error) {
    await link.stop()
    options.signal?.throwIfAborted()
    throw error
  } finally {
    options.signal?.removeEventListener('abort', abort)
  }
}

async function allReady(
  table: PodTable,
  plan: BootPlan,
  booted: Booted,
  signal: AbortSignal | undefined,
): Promise<void> {
  let broken: KnownPod | undefined
  try {
    await table.wait(
      () => {
        broken = table.all().find(({ status }) => status.lastExit !== null)
        if (broken !== undefined) return true
        return roles.every((role) => settled(table.of(role), plan.replicas[role]) !== undefined) || undefined
      },
      () => `all pods ready, found ${roles.map((role) => table.describe(role)).join('; ')}`,
      { timeoutMs: plan.settings.bootTimeoutMs, ...(signal === undefined ? {} : { signal }) },
    )
  } catch (error) {
    if (!(error instanceof GauntletError && error.code === 'ERR_TIMEOUT')) throw error
    // Runtime waits for balancers and these for component servers: the cause is with the last of the roles.
    const unready = roles.toReversed().flatMap((role) => table.of(role).filter(({ pod }) => !pod.ready))[0]
    throw new GauntletError('ERR_CLUSTER', `the cluster is ${error.message}${await quote(booted, unready)}`, {
      cause: error,
    })
  }
  if (broken === undefined) return
  throw new GauntletError(
    'ERR_CLUSTER',
    `its program ended while starting: ${broken.status.lastExit}${await quote(booted, broken)}`,
    { field: broken.pod.name },
  )
}

/** The end of the pod's log, for an error's text. */
async function quote(booted: Booted, known: KnownPod | undefined): Promise<string> {
  if (known === undefined) return ''
  const text = await readLog(booted.directory, known.pod.name)
  const lines = text.trimEnd().slice(-quotedBytes).split('\n').slice(-quotedLines)
  return text === ''
    ? '; its log is empty'
    : `; the end of the log of ${known.pod.name}:\n${lines.join('\n')}\n`
}

/**
 * The agent could not: it was killed. Without a parent-death signal its pods may still be there too. What cannot
 * be removed is left to the next start.
 */
function cleanUpAfterAgent(booted: Booted, table: PodTable, plan: BootPlan): void {
  for (const { status, gone } of table.all()) {
    if (!gone && status.pid !== null) signalGroup(status.pid, 'SIGKILL')
  }
  if (plan.directory !== null) return
  rm(booted.directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
}

function bootPlan(options: ClusterOptions, settings: LocalSettings): BootPlan {
  const replicas = { ...defaultReplicas, ...options.replicas }
  for (const role of roles) assertReplicas(role, replicas[role])
  return {
    settings,
    replicas,
    runtimeConfig: options.runtimeConfig ?? defaultRuntimeConfig,
    env: options.env ?? {},
    componentFiles: (options.componentFiles ?? []).map((file) =>
      isAbsolute(file) ? file : resolvePath(file),
    ),
    nodeArgs: options.nodeArgs ?? {},
    links: options.links ?? [],
    directory: options.directory === undefined ? null : resolvePath(options.directory),
  }
}

function addressingFromEnv(): Partial<LocalSettings> {
  const value = process.env['LOCAL_ADDRESSING']
  if (value === undefined || value === '') return {}
  if (value === 'own' || value === 'shared' || value === 'auto') return { addressing: value }
  throw new GauntletError('ERR_ENVIRONMENT', `got ${value}`, {
    field: 'LOCAL_ADDRESSING',
    value,
    fix: 'use own, shared or auto',
  })
}
