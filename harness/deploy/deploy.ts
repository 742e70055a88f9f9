// Puts an overlay into the cluster and waits until it serves; takes it away again. Both may be called at any time.

import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GauntletError } from '../../contracts/errors.ts'
import { tokenSecret } from '../cluster/kubernetes/calls.ts'
import { ownLabel } from '../cluster/kubernetes/settings.ts'
import type { Kubectl } from './kubectl.ts'
import {
  type BuiltImage,
  type KubernetesObject,
  keyOf,
  parseObjects,
  toYaml,
  versionsOf,
  withImages,
  withNamespaceMarks,
} from './render.ts'
import { type PodObject, progressOf, troubleOf, type WorkloadObject } from './workloads.ts'

const root = join(import.meta.dirname, '../..')

export interface DeployOptions {
  readonly kubectl: Kubectl
  /** A folder of k8s/overlays. */
  readonly overlay: string
  readonly timeoutMs: number
  readonly say: (text: string) => void
}

/** Which overlay is in a namespace, so that it can be taken away as a whole. */
const overlayLabel = 'stepflow-gauntlet/overlay'
const overlaysAnnotation = 'stepflow-gauntlet/overlays'
const pollMs = 500
/** A trouble must last so long before the deployment is given up: an image may still be on its way. */
const hopelessMs = 15_000
const quotedLines = 15

/**
 * Applies the overlay and waits until every workload of it is ready. What is as it should be is left alone.
 * @throws GauntletError ERR_FLAG_VALUE, ERR_ENVIRONMENT, ERR_CLUSTER with events and logs of what does not come
 */
export async function deploy({ kubectl, overlay, timeoutMs, say }: DeployOptions): Promise<void> {
  const objects = await render(kubectl, overlay)
  const namespace = namespaceOf(objects)
  const before = overlaysIn(await assertOurs(kubectl, namespace)).filter((name) => name !== overlay)
  say(`overlay ${overlay}: ${objects.length} objects for namespace ${namespace}`)
  const marked = (all: readonly string[]): readonly KubernetesObject[] =>
    withNamespaceMarks(objects, {
      labels: { [ownLabel.name]: ownLabel.value, [overlayLabel]: overlay },
      annotations: { [overlaysAnnotation]: all.join() },
    })
  const isNamespace = ({ kind }: KubernetesObject): boolean => kind === 'Namespace'
  const applying = marked([overlay, ...before])
  await apply(kubectl, applying.filter(isNamespace))
  await makeToken(kubectl, namespace)
  say(`applied: ${await apply(kubectl, applying)} of ${applying.length} objects changed`)
  const workloads = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
  await waitReady(kubectl, namespace, workloads, timeoutMs, say)
  if (before.length === 0) return
  for (const other of before) await removeRest(kubectl, other, objects, { timeoutMs, say })
  // The last step: cut off before it, the next deploy still knows what to remove.
  await apply(kubectl, marked([overlay]).filter(isNamespace))
}

/** Removes what an overlay that was there has and `objects` have not: a pool of it would go on holding its GPU. */
async function removeRest(
  kubectl: Kubectl,
  other: string,
  objects: readonly KubernetesObject[],
  { timeoutMs, say }: Pick<DeployOptions, 'timeoutMs' | 'say'>,
): Promise<void> {
  if (!overlays().includes(other)) return
  const kept = new Set(objects.map(keyOf))
  const rest = (await render(kubectl, other)).filter((object) => !kept.has(keyOf(object)))
  if (rest.length === 0) return
  say(`removing ${rest.length} objects that only overlay ${other} has`)
  const timeout = `--timeout=${Math.ceil(timeoutMs / 1000)}s`
  await kubectl(['delete', '--ignore-not-found', timeout, '-f', '-'], toYaml(rest))
}

/** The overlays that objects in the namespace may be of: more than one where a deploy was cut off. */
function overlaysIn(namespace: KubernetesObject | null): readonly string[] {
  const { labels, annotations } = namespace?.metadata ?? {}
  const names = annotations?.[overlaysAnnotation]?.split(',') ?? []
  return [...new Set([labels?.[overlayLabel] ?? '', ...names])].filter((name) => name !== '')
}

/**
 * Removes what the overlay made, the namespace last. Resolves when it is gone.
 * @throws GauntletError ERR_ENVIRONMENT where the namespace is not of `deploy`
 */
export async function undeploy({
  kubectl,
  say,
  timeoutMs,
  namespace,
}: Pick<DeployOptions, 'kubectl' | 'say' | 'timeoutMs'> & { readonly namespace: string }): Promise<void> {
  const found = await assertOurs(kubectl, namespace)
  if (found === null) {
    say(`namespace ${namespace} is not there: nothing to do`)
    return
  }
  for (const overlay of overlaysIn(found).filter((name) => overlays().includes(name))) {
    const outside = (await render(kubectl, overlay)).filter(
      ({ kind, metadata }) => metadata.namespace === undefined && kind !== 'Namespace',
    )
    if (outside.length > 0) {
      say(`removing ${outside.length} objects outside of the namespace`)
      await kubectl(['delete', '--ignore-not-found', '--wait=false', '-f', '-'], toYaml(outside))
    }
  }
  say(`removing namespace ${namespace} and all that is in it`)
  // Nobody waits for open streams any more.
  await kubectl(['delete', 'pods', '--all', '-n', namespace, '--grace-period=1', '--wait=false'])
  await kubectl(['delete', 'namespace', namespace, `--timeout=${Math.ceil(timeoutMs / 1000)}s`])
  say('gone')
}

/** Names of the overlays there are. */
export function overlays(): readonly string[] {
  const folder = join(root, 'k8s/overlays')
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  )
}

async function render(kubectl: Kubectl, overlay: string): Promise<readonly KubernetesObject[]> {
  if (!overlays().includes(overlay)) {
    throw new GauntletError('ERR_FLAG_VALUE', `got ${overlay}`, {
      field: '--overlay',
      value: overlay,
      fix: `use one of ${overlays().join(', ')}`,
    })
  }
  const objects = parseObjects(await kubectl(['kustomize', join(root, 'k8s/overlays', overlay)]))
  return withImages(objects, builtImages())
}

/** Without images.json the manifests' own tags stay: another machine may have pushed them. */
export function builtImages(): readonly BuiltImage[] {
  const file = join(root, 'build/images/images.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BuiltImage[]) : []
}

function namespaceOf(objects: readonly KubernetesObject[]): string {
  const namespace = objects.find(({ kind }) => kind === 'Namespace')?.metadata.name
  if (namespace !== undefined) return namespace
  throw new GauntletError('ERR_CONFIG_FIELD', 'the overlay has no Namespace', { field: '--overlay' })
}

/** Null: it is not there. @throws GauntletError ERR_ENVIRONMENT where somebody else made it */
async function assertOurs(kubectl: Kubectl, namespace: string): Promise<KubernetesObject | null> {
  const text = await kubectl(['get', 'namespace', namespace, '--ignore-not-found', '-o', 'json'])
  if (text.trim() === '') return null
  const found = JSON.parse(text) as KubernetesObject
  if (found.metadata.labels?.[ownLabel.name] === ownLabel.value) return found
  throw new GauntletError('ERR_ENVIRONMENT', 'is there already, and npm run deploy did not make it', {
    field: `namespace ${namespace}`,
    fix: `remove it, or claim it: kubectl label namespace ${namespace} ${ownLabel.name}=${ownLabel.value}`,
  })
}

/** Applies the objects. @returns how many it changed: kubectl's own word is `configured` also where it changed nothing */
async function apply(kubectl: Kubectl, objects: readonly KubernetesObject[]): Promise<number> {
  const text = toYaml(objects)
  const before = versionsOf(await kubectl(['get', '--ignore-not-found', '-o', 'json', '-f', '-'], text))
  const after = versionsOf(await kubectl(['apply', '-o', 'json', '-f', '-'], text))
  return [...after].filter(([key, version]) => before.get(key) !== version).length
}

/** The agents' token, kept when it is there: running pods know it. */
async function makeToken(kubectl: Kubectl, namespace: string): Promise<void> {
  const known = await kubectl([
    'get',
    'secret',
    tokenSecret,
    '-n',
    namespace,
    '--ignore-not-found',
    '-o',
    'name',
  ])
  if (known.trim() !== '') return
  const secret: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: tokenSecret, namespace },
    stringData: { token: randomBytes(32).toString('hex') },
  }
  await kubectl(['create', '-f', '-'], toYaml([secret]))
}

async function waitReady(
  kubectl: Kubectl,
  namespace: string,
  wanted: readonly KubernetesObject[],
  timeoutMs: number,
  say: (text: string) => void,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  const names = wanted.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`)
  const said = new Map<string, string>()
  let hopelessSince: number | null = null
  for (;;) {
    const workloads = await list<WorkloadObject>(kubectl, namespace, names)
    const states = workloads.map((workload) => ({ name: workload.metadata.name, ...progressOf(workload) }))
    for (const { name, text } of states) {
      if (said.get(name) !== text) say(text)
      said.set(name, text)
    }
    if (states.length === wanted.length && states.every(({ done }) => done)) return
    const pods = await list<PodObject>(kubectl, namespace, ['pods'])
    const troubles = pods.flatMap((pod) => troubleOf(pod) ?? [])
    hopelessSince = troubles.length === 0 ? null : (hopelessSince ?? performance.now())
    const late = performance.now() > deadline
    if (late || (hopelessSince !== null && performance.now() - hopelessSince > hopelessMs)) {
      const missing = states.filter(({ done }) => !done).map(({ text }) => text)
      throw new GauntletError(
        'ERR_CLUSTER',
        [
          `${late ? `not ready in ${timeoutMs / 1000} s` : 'cannot become ready'}: ${missing.join('; ')}`,
          ...troubles,
          ...(await evidence(kubectl, namespace, pods)),
        ].join('\n'),
        { field: 'npm run deploy', fix: 'see the reasons above' },
      )
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

async function list<T>(kubectl: Kubectl, namespace: string, what: readonly string[]): Promise<readonly T[]> {
  const text = await kubectl(['get', ...what, '-n', namespace, '-o', 'json'])
  const found = JSON.parse(text) as T & { readonly items?: readonly T[] }
  return found.items ?? [found]
}

/** The newest warnings, and the end of the log of a pod that is not ready. */
async function evidence(
  kubectl: Kubectl,
  namespace: string,
  pods: readonly PodObject[],
): Promise<readonly string[]> {
  interface Event {
    readonly type: string
    readonly reason: string
    readonly message: string
    readonly involvedObject: { readonly kind: string; readonly name: string }
  }
  const events = await list<Event>(kubectl, namespace, ['events', '--sort-by=.lastTimestamp'])
  const unready = pods.filter(
    ({ status }) =>
      !status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  )
  // An hour of events is kept: pods that are gone or well now, and autoscalers without figures, are not what is asked.
  const concerns = ({ kind, name }: Event['involvedObject']): boolean =>
    kind === 'Pod'
      ? unready.some(({ metadata }) => metadata.name === name)
      : kind !== 'HorizontalPodAutoscaler'
  const warnings = events
    .filter(({ type, involvedObject }) => type === 'Warning' && concerns(involvedObject))
    .map(({ reason, message, involvedObject }) => `event of ${involvedObject.name}: ${reason}: ${message}`)
  const [first] = unready
  if (first === undefined) return warnings.slice(-8)
  const { name } = first.metadata
  const log = await kubectl(['logs', name, '-n', namespace, `--tail=${quotedLines}`]).catch(() => '')
  return [
    ...new Set(warnings.slice(-8)),
    ...(log === '' ? [] : [`the end of the log of ${name}:`, log.trimEnd()]),
  ]
}
