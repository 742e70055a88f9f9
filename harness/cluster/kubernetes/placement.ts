// Which node each pod lands on. The real scheduler is asked about pretended nodes: objects without a machine, on which
// nothing runs, beside which only pods of this trial are put. What is on the cluster's own nodes is looked at as it is.

import { setTimeout as delay } from 'node:timers/promises'
import type { Placement } from '../../../contracts/asked.ts'
import { GauntletError } from '../../../contracts/errors.ts'
import type { Kubectl } from '../../deploy/kubectl.ts'
import { toYaml } from '../../deploy/render.ts'
import { ownName, withNamespaces } from './stand-ins.ts'

/** What the manifests say of a pod: its template of a Deployment or StatefulSet. */
export interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly tolerations?: readonly object[]
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly affinity?: object
    readonly [field: string]: unknown
  }
}

export interface PlacementOptions {
  readonly kubectl: Kubectl
  readonly templates: Readonly<Record<Workload, PodTemplate>>
  /** How long the scheduler may take to decide as it must, ms; default 30,000. */
  readonly patienceMs?: number
  readonly signal?: AbortSignal
}

export const placedWorkloads = ['stepflow-server', 'pingora-lb', 'component-server', 'gpu-server'] as const
export type Workload = (typeof placedWorkloads)[number]

interface PretendedNode {
  readonly name: string
  /** As NVIDIA's feature discovery labels nodes that have GPUs. */
  readonly hasGpuLabel: boolean
  /** Devices; on a real node the device plugin says so. */
  readonly gpus: number
}

/** The scheduler's own words. */
export const reasons = {
  affinity: "didn't match Pod's node affinity/selector",
  gpu: 'Insufficient nvidia.com/gpu',
} as const

const key = 'stepflow-gauntlet/pretended'
const gpuLabel = 'nvidia.com/gpu.present'
const decisionMs = 30_000
/** Less than the 40 s after which a node that says nothing counts as lost. */
const heartbeatMs = 10_000

/**
 * Asks the scheduler, step by step, as GPU nodes come.
 * @throws GauntletError ERR_ENVIRONMENT where the account may not make nodes, ERR_CLUSTER
 */
export async function tryPlacements({
  kubectl,
  templates,
  patienceMs = decisionMs,
  signal,
}: PlacementOptions): Promise<readonly Placement[]> {
  const run = ownName('stepflow-placement')
  const nodes: PretendedNode[] = []
  const named = (name: string): string => `${run}-${name}`
  const placements: Placement[] = []
  let beaten = performance.now()

  const addNode = async (name: string, hasGpuLabel: boolean, gpus: number): Promise<void> => {
    signal?.throwIfAborted()
    const node = { name: named(name), hasGpuLabel, gpus }
    await kubectl(['create', '-f', '-'], toYaml([nodeObject(node, run)])).catch((cause: unknown) => {
      throw new GauntletError('ERR_ENVIRONMENT', `nodes cannot be pretended: ${(cause as Error).message}`, {
        field: 'kubeconfig',
        fix: 'use an account that may make nodes, on a cluster that is there for trying out',
        cause,
      })
    })
    nodes.push(node)
    await until(decisionMs, signal, async () => {
      const taints = await kubectl(['get', 'node', node.name, '-o', 'jsonpath={.spec.taints[*].key}'])
      return taints.includes('node.kubernetes.io/') ? null : true
    })
  }
  /** Creates pods of a workload, and tells of each what the scheduler decided. */
  const place = async (workload: Workload, names: readonly string[]): Promise<void> => {
    signal?.throwIfAborted()
    const pods = names.map((name) => podObject(name, run, templates[workload]))
    await kubectl(['create', '-f', '-'], toYaml(pods))
  }
  const expect = async (
    pod: string,
    what: string,
    wanted: Pick<Placement, 'nodes' | 'waits'>,
  ): Promise<string | null> => {
    let last: Pick<Placement, 'node' | 'reason'> = { node: null, reason: 'no word of the scheduler' }
    await until(patienceMs, signal, async () => {
      if (performance.now() - beaten > heartbeatMs) {
        beaten = performance.now()
        for (const node of nodes) await beat(kubectl, node)
      }
      last = await decisionOf(kubectl, run, pod)
      return (last.node !== null && wanted.waits === null) ||
        (wanted.waits !== null && last.reason.includes(wanted.waits))
        ? true
        : null
    })
    placements.push({ what, pretended: true, ...wanted, ...last })
    return last.node
  }
  const lands = (...names: readonly string[]) => ({ nodes: names.map(named), waits: null })
  const waits = (reason: string) => ({ nodes: [], waits: reason })

  // Of a harness that was killed.
  await kubectl(['delete', 'node', '-l', key, '--ignore-not-found'])
  try {
    return await withNamespaces(kubectl, [run], async () => {
      try {
        // They have a GPU each, which is not for whoever goes by the label.
        for (const name of ['plain-1', 'plain-2']) await addNode(name, false, 1)
        await place('gpu-server', ['gpu-1'])
        await expect('gpu-1', 'gpu-server, no node labelled for GPUs', waits(reasons.affinity))
        await addNode('gpu-bare', true, 0)
        await expect('gpu-1', 'gpu-server, a node labelled for GPUs that has none', waits(reasons.gpu))
        await addNode('gpu-a', true, 1)
        await expect('gpu-1', 'gpu-server, a GPU node', lands('gpu-a'))
        await place('gpu-server', ['gpu-2'])
        await expect('gpu-2', 'a second gpu-server, no GPU left', waits(reasons.gpu))
        await addNode('gpu-b', true, 1)
        await expect('gpu-2', 'a second gpu-server, a second GPU node', lands('gpu-b'))

        // The others stay off the GPU nodes, and are spread over the rest.
        for (const [workload, count] of [
          ['component-server', 2],
          ['pingora-lb', 2],
          ['stepflow-server', 1],
        ] as const) {
          const pods = Array.from({ length: count }, (_, index) => `${workload}-${index + 1}`)
          let free = ['plain-1', 'plain-2']
          for (const pod of pods) {
            await place(workload, [pod])
            const node = await expect(pod, `${pod}, two ordinary nodes and three for GPUs`, lands(...free))
            free = free.filter((name) => named(name) !== node)
          }
        }
        return placements
      } finally {
        // No kubelet will say that they have ended.
        const force = ['--grace-period=0', '--force', '--ignore-not-found']
        await kubectl(['delete', 'pods', '--all', '-n', run, ...force]).catch(() => {})
      }
    })
  } finally {
    const names = nodes.map(({ name }) => name)
    if (names.length > 0) await kubectl(['delete', 'node', ...names, '--ignore-not-found']).catch(() => {})
  }
}

interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly status: { readonly allocatable?: Readonly<Record<string, string>> }
}

interface PlacedPod {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly nodeName?: string }
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly message?: string
    }[]
  }
}

/** The pods of the GPU pool that is deployed, on the cluster's own nodes; none where it is not. */
export async function realPlacements(kubectl: Kubectl, namespace: string): Promise<readonly Placement[]> {
  const items = async <T>(...args: readonly string[]): Promise<readonly T[]> =>
    (JSON.parse(await kubectl(['get', ...args, '-o', 'json'])) as { readonly items: readonly T[] }).items
  const pods = await items<PlacedPod>('pods', '-n', namespace, '-l', 'app=gpu-server')
  if (pods.length === 0) return []
  const nodes = await items<NodeObject>('nodes')
  const withGpu = nodes
    .filter(({ metadata, status }) => {
      return metadata.labels?.[gpuLabel] === 'true' && Number(status.allocatable?.['nvidia.com/gpu'] ?? 0) > 0
    })
    .map(({ metadata }) => metadata.name)
  const labelled = nodes.some(({ metadata }) => metadata.labels?.[gpuLabel] === 'true')
  return pods.map((pod) => {
    const { node, reason } = decision(pod)
    const must =
      node === null
        ? { nodes: [], waits: labelled ? reasons.gpu : reasons.affinity }
        : { nodes: withGpu, waits: null }
    return { what: pod.metadata.name, pretended: false, ...must, node, reason }
  })
}

async function decisionOf(
  kubectl: Kubectl,
  namespace: string,
  pod: string,
): Promise<Pick<Placement, 'node' | 'reason'>> {
  return decision(JSON.parse(await kubectl(['get', 'pod', pod, '-n', namespace, '-o', 'json'])) as PlacedPod)
}

function decision({ spec, status }: PlacedPod): Pick<Placement, 'node' | 'reason'> {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  return {
    node: spec.nodeName ?? null,
    reason: spec.nodeName === undefined ? (scheduled?.message ?? '') : '',
  }
}

/** As the template has it, but that it goes to pretended nodes alone. */
function podObject(name: string, run: string, { metadata, spec }: PodTemplate) {
  // An account that is not in this namespace; the API server fills in both names of the field.
  const { serviceAccountName: _, serviceAccount: __, ...rest } = spec
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: run, labels: { ...metadata?.labels, 'pod-template-hash': 'pretended' } },
    spec: {
      ...rest,
      automountServiceAccountToken: false,
      nodeSelector: { ...spec.nodeSelector, [key]: run },
      tolerations: [...(spec.tolerations ?? []), { key, operator: 'Exists', effect: 'NoSchedule' }],
    },
  }
}

function nodeObject(node: PretendedNode, run: string) {
  const { name, hasGpuLabel } = node
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        ...{ [key]: run, 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
        // Load balancers of a cloud must not look for it.
        'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
        ...(hasGpuLabel ? { [gpuLabel]: 'true' } : {}),
      },
    },
    spec: {
      taints: [
        { key, value: run, effect: 'NoSchedule' },
        ...(hasGpuLabel ? [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }] : []),
      ],
    },
    status: statusOf(node),
  }
}

/** That the node is well, and what it has. */
function statusOf({ gpus }: PretendedNode) {
  const has = {
    ...{ cpu: '8', memory: '32Gi', pods: '110', 'ephemeral-storage': '100Gi' },
    ...(gpus > 0 ? { 'nvidia.com/gpu': String(gpus) } : {}),
  }
  const now = new Date().toISOString()
  return {
    capacity: has,
    allocatable: has,
    conditions: [
      {
        ...{ type: 'Ready', status: 'True', reason: 'Pretended', message: 'a node without a machine' },
        ...{ lastHeartbeatTime: now, lastTransitionTime: now },
      },
    ],
  }
}

async function beat(kubectl: Kubectl, node: PretendedNode): Promise<void> {
  const words = ['patch', 'node', node.name, '--subresource=status', '--type=merge']
  await kubectl([...words, '-p', JSON.stringify({ status: statusOf(node) })])
}

/** Asks again until there is an answer; then, or when its time is up, returns. */
async function until(
  ms: number,
  signal: AbortSignal | undefined,
  ask: () => Promise<true | null>,
): Promise<void> {
  const deadline = performance.now() + ms
  while ((await ask()) === null && performance.now() < deadline && signal?.aborted !== true) await delay(250)
}
