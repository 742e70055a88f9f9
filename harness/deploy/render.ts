// An overlay of k8s as objects, with the built images' tags in the place of the version.

import { parseAllDocuments, stringify } from 'yaml'
import { GauntletError } from '../../contracts/errors.ts'

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly generation?: number
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/** What build/images/images.json says of an image. */
export interface BuiltImage {
  readonly name: string
  readonly tag: string
}

/** @throws GauntletError ERR_CONFIG_SYNTAX */
export function parseObjects(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [problem] = document.errors
    if (problem !== undefined) {
      throw new GauntletError('ERR_CONFIG_SYNTAX', problem.message, { field: 'the rendered overlay' })
    }
    const value = document.toJS() as KubernetesObject | null
    return value === null ? [] : [value]
  })
}

/** Images of the project, by whatever tag, become those that were built; others stay. */
export function withImages<T>(value: T, images: readonly BuiltImage[]): T {
  if (Array.isArray(value)) return value.map((item: unknown) => withImages(item, images)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      key === 'image' && typeof field === 'string' ? imageOf(field, images) : withImages(field, images),
    ]),
  ) as T
}

/** Adds labels and annotations to the namespace itself. */
export function withNamespaceMarks(
  objects: readonly KubernetesObject[],
  marks: Required<Pick<KubernetesObject['metadata'], 'labels' | 'annotations'>>,
): readonly KubernetesObject[] {
  return objects.map((object) => {
    if (object.kind !== 'Namespace') return object
    const labels = { ...object.metadata.labels, ...marks.labels }
    const annotations = { ...object.metadata.annotations, ...marks.annotations }
    return { ...object, metadata: { ...object.metadata, labels, annotations } }
  })
}

/**
 * What tells one state of an object from another, of kubectl's list: its generation, which a status leaves alone; of
 * objects that have none, all but the status, for a quota's changes with every pod. Empty for an empty text.
 */
export function versionsOf(text: string): ReadonlyMap<string, string> {
  if (text.trim() === '') return new Map()
  const found = JSON.parse(text) as KubernetesObject & { readonly items?: readonly KubernetesObject[] }
  return new Map(
    (found.items ?? [found]).map((object) => [
      keyOf(object),
      object.metadata.generation?.toString() ?? withoutStatus(object),
    ]),
  )
}

function withoutStatus(object: KubernetesObject): string {
  const { status: _, ...rest } = object
  return JSON.stringify({ ...rest, metadata: { ...object.metadata, resourceVersion: null } })
}

/** Tells an object from all others. */
export function keyOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.namespace ?? ''} ${metadata.name}`
}

export function toYaml(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => `---\n${stringify(object, { aliasDuplicateObjects: false })}`).join('')
}

function imageOf(reference: string, images: readonly BuiltImage[]): string {
  const [, name] = /^([^@]*?)(?::[^/:@]+)?(?:@.*)?$/.exec(reference) ?? []
  const built = images.find((image) => image.name === name)
  return built === undefined ? reference : `${built.name}:${built.tag}`
}
