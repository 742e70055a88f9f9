// Takes hold of a deployed system: connects, checks that it may, follows the pods, and waits until all are ready.

import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { appNames, type ClusterOptions, type Role } from '../../../contracts/cluster.ts'
import { GauntletError } from '../../../contracts/errors.ts'
import { clockOriginMs, monotonicUs } from '../../clock.ts'
import { createKubectl } from '../../deploy/kubectl.ts'
import { PodTable, settled } from '../local/pod-table.ts'
import { defaultReplicas, roles } from '../local/settings.ts'
import { AgentLink } from './agent-link.ts'
import { KubernetesApi } from './api.ts'
import { type Connection, connect } from './connect.ts'
import { autoscalerName, KubernetesCluster, type RoleFacts, readLogs } from './kubernetes-cluster.ts'
import type { SeenPod } from './pod-of.ts'
import { PodWatch } from './pod-watch.ts'
import { answers, Forwards } from './reach.ts'
import { type KubernetesSettings, ownLabel, readSettings } from './settings.ts'

const bootTimeoutMs = 180_000
/** An address that is not on this machine's networks does not answer at all. */
const reachTimeoutMs = 1_500
const projectFolder = join(import.meta.dirname, '../../..')

/**
 * Takes hold of the system that `npm run deploy` has put into the cluster, and resolves once every pod is ready.
 * Disposing lets it go again, with the numbers of replicas it had; `npm run undeploy` removes it.
 *
 * @param env the variables of settings.ts
 * @throws GauntletError ERR_ENVIRONMENT where there is no cluster, no system, or it must not be touched;
 *   ERR_CLUSTER with the reason where a pod does not come
 * @example
 * await using cluster = await startKubernetesCluster({})
 * const runs = `${await cluster.serviceUrl('runtime')}/api/v1/runs`
 */
export async function startKubernetesCluster(
  options: ClusterOptions = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<KubernetesCluster> {
  options.signal?.throwIfAborted()
  refuseLocalOnly(options)
  const settings = readSettings(env)
  const connection = connect(settings, env)
  const api = new KubernetesApi(connection.config, settings.namespace)
  await assertOurs(api, settings)
  const facts = await roleFacts(api)
  await refuseAutoscalers(api)
  const token = await api.readToken()
  if (token === null) throw notDeployed("the agents' Secret is not there")

  await using stack = new AsyncDisposableStack()
  const table = new PodTable()
  const agents = new Map<string, AgentLink>()
  const seen = new Map<string, SeenPod>()
  const lastLogs = new Map<string, Promise<string>>()
  const originMs = clockOriginMs()
  let forwards: Forwards | null = null
  let trouble: Error | null = null

  const addressOf = async (name: string): Promise<string> => {
    const pod = seen.get(name)
    if (pod?.agentPort == null)
      throw new GauntletError('ERR_CLUSTER', 'its agent does not run', { field: name })
    return forwards === null ? `${pod.pod.address}:${pod.agentPort}` : forwards.open(name, pod.agentPort)
  }
  let followed = false
  const watch = new PodWatch({
    watch: api.watchPods(`app in (${Object.values(appNames).join(',')})`),
    now: monotonicUs,
    originMs,
    onTrouble: (error) => {
      trouble = error
    },
    onPod: (event, pod) => {
      const { name } = event.pod
      seen.set(name, pod)
      if (pod.agentPort !== null && !agents.has(name)) {
        const agent = new AgentLink({ pod: name, token, originMs, address: () => addressOf(name) })
        agents.set(name, agent)
        if (followed) agent.follow()
      }
      // Its log goes with it.
      if (event.pod.phase === 'Terminating' && !lastLogs.has(name)) {
        lastLogs.set(
          name,
          readLogs(api, event.pod).catch(() => ''),
        )
      }
      if (event.kind === 'gone') void agents.get(name)?.end()
      table.update(event, pod.status)
    },
  })
  stack.defer(() => {
    watch.stop()
    for (const agent of agents.values()) agent.stop()
    forwards?.close()
  })
  await watch.start()
  if (trouble !== null) {
    throw new GauntletError('ERR_CLUSTER', `cannot follow the pods: ${(trouble as Error).message}`, {
      cause: trouble,
    })
  }

  const direct = settings.reach === 'direct' || (settings.reach === 'auto' && (await isDirect(table)))
  if (!direct) forwards = new Forwards(connection.config, settings.namespace)
  const replicas = { ...defaultReplicas, ...options.replicas }
  for (const role of roles) await api.scale(facts[role].kind, appNames[role], replicas[role])
  await allReady(api, table, replicas, options.signal)
  await Promise.all([...agents.values()].map((agent) => agent.compactStale()))
  followed = true
  for (const agent of agents.values()) agent.follow()

  const owned = stack.move()
  const cluster = new KubernetesCluster({
    api,
    table,
    agents,
    seen,
    roles: facts,
    forwards,
    kubectl: createKubectl(connection.inCluster ? null : connection.context),
    lastLogs,
    description: describe(connection, settings, direct, describeSystem(seen)),
    close: () => owned.disposeAsync(),
  })
  for (const role of roles) {
    await cluster.scale(role, replicas[role])
    await cluster.waitReady(role)
  }
  const unlinked = options.links?.find((role) => cluster.hooks.links?.roles.includes(role) !== true)
  if (unlinked === undefined) return cluster
  await cluster.stop()
  throw new GauntletError('ERR_ENVIRONMENT', 'has no fault proxy on the way to its pods', {
    field: unlinked,
    fix: 'run npm run deploy -- --overlay chaos',
  })
}

/** What a running system cannot be given any more. */
function refuseLocalOnly(options: ClusterOptions): void {
  const given = (['runtimeConfig', 'env', 'nodeArgs', 'directory'] as const).find(
    (name) => options[name] !== undefined,
  )
  if (given !== undefined) {
    throw new GauntletError('ERR_ENVIRONMENT', 'cannot be set on a system that is deployed already', {
      field: given,
      fix: 'put it into an overlay of k8s, or use --cluster local',
    })
  }
  for (const file of options.componentFiles ?? []) {
    const path = relative(projectFolder, file)
    if (!path.startsWith('scenarios/components/') || !existsSync(file)) {
      throw new GauntletError('ERR_ENVIRONMENT', 'is not in the image', {
        field: file,
        fix: 'put it into scenarios/components and run npm run images and npm run deploy',
      })
    }
  }
}

async function assertOurs(api: KubernetesApi, settings: KubernetesSettings): Promise<void> {
  const namespace = await api.readNamespace()
  if (namespace === null) throw notDeployed(`the namespace ${settings.namespace} is not there`)
  if (namespace.metadata?.labels?.[ownLabel.name] === ownLabel.value || settings.foreignNamespace) return
  throw new GauntletError('ERR_ENVIRONMENT', 'was not made by npm run deploy', {
    field: settings.namespace,
    fix: 'deploy there, or set KUBE_ALLOW_NAMESPACE=true if it is there to be broken',
  })
}

function notDeployed(problem: string): GauntletError {
  return new GauntletError('ERR_ENVIRONMENT', problem, {
    field: '--cluster',
    value: 'kubernetes',
    fix: 'run npm run images and npm run deploy -- --overlay demo first',
  })
}

/** Scenarios set the numbers of replicas themselves; what a killed harness left is removed. */
async function refuseAutoscalers(api: KubernetesApi): Promise<void> {
  const own = new Set(roles.map(autoscalerName))
  for (const { metadata, spec } of await api.listAutoscalers()) {
    const name = metadata?.name ?? ''
    if (own.has(name)) await api.deleteAutoscaler(name)
    else if (Object.values(appNames).includes(spec?.scaleTargetRef.name ?? '')) {
      throw new GauntletError('ERR_ENVIRONMENT', `sets the replicas of ${spec?.scaleTargetRef.name} too`, {
        field: `HorizontalPodAutoscaler ${name}`,
        fix: 'deploy an overlay without an autoscaler: scenarios set replicas themselves',
      })
    }
  }
}

async function roleFacts(api: KubernetesApi): Promise<Readonly<Record<Role, RoleFacts>>> {
  const facts = async (role: Role): Promise<RoleFacts> => {
    const workload = await api.readWorkload(appNames[role])
    if (workload === null) throw notDeployed(`there is no ${appNames[role]}`)
    const { spec } = await api.readService(appNames[role])
    const port = spec?.ports?.find(({ name }) => name === 'http')?.port
    const address = spec?.clusterIP
    const headless = address === undefined || address === 'None'
    return { ...workload, service: headless || port === undefined ? null : `${address}:${port}` }
  }
  const [runtime, balancer, componentServer] = await Promise.all([
    facts('runtime'),
    facts('balancer'),
    facts('component-server'),
  ])
  return { runtime, balancer, 'component-server': componentServer }
}

/** Whether pods answer this process at their own addresses. */
async function isDirect(table: PodTable): Promise<boolean> {
  const pod = table.all().find(({ pod }) => pod.address !== '')?.pod
  return pod !== undefined && answers(pod.address, pod.adminPort, reachTimeoutMs)
}

async function allReady(
  api: KubernetesApi,
  table: PodTable,
  replicas: Readonly<Record<Role, number>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await table.wait(
      () => roles.every((role) => settled(table.of(role), replicas[role]) !== undefined) || undefined,
      () => `all pods ready, found ${roles.map((role) => table.describe(role)).join('; ')}`,
      { timeoutMs: bootTimeoutMs, ...(signal === undefined ? {} : { signal }) },
    )
  } catch (error) {
    if (!(error instanceof GauntletError && error.code === 'ERR_TIMEOUT')) throw error
    const unready = roles.toReversed().flatMap((role) => table.of(role).filter(({ pod }) => !pod.ready))[0]
    const log = unready === undefined ? '' : await readLogs(api, unready.pod).catch(() => '')
    const warnings = (await api.listEvents().catch(() => []))
      .filter(({ type, involvedObject }) => type === 'Warning' && involvedObject.name === unready?.pod.name)
      .map(({ reason, message }) => `${reason}: ${message}`)
    throw new GauntletError(
      'ERR_CLUSTER',
      [
        `the cluster is ${error.message}`,
        ...warnings.slice(-5),
        ...(log === '' ? [] : ['the end of its log:', ...log.trimEnd().split('\n').slice(-10)]),
      ].join('\n'),
      { cause: error },
    )
  }
}

/** Limits are part of any figure: a limited CPU throttles. */
function describeSystem(seen: ReadonlyMap<string, SeenPod>): Readonly<Record<string, string>> {
  return {
    'resources of the pods': [...new Set([...seen.values()].map(({ resources }) => resources))].join('; '),
    nodes: String(new Set([...seen.values()].map(({ node }) => node)).size),
  }
}

function describe(
  { config, context, inCluster }: Connection,
  settings: KubernetesSettings,
  direct: boolean,
  system: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    context,
    'API server': inCluster ? 'in the cluster' : (config.getCurrentCluster()?.server ?? ''),
    namespace: settings.namespace,
    'load reaches the pods': !direct
      ? 'through ports forwarded by the API server: its latency is in every figure'
      : inCluster
        ? 'from a pod of the cluster'
        : 'directly, at pod and Service addresses',
    ...system,
  }
}
