// Every kustomization of k8s/ rendered: the overlays, and the base with each component that no overlay has.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseAllDocuments } from 'yaml'

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: unknown
}

export interface Rendered {
  /** The overlay's name, or `base+` and the components'. */
  readonly name: string
  readonly file: string
  readonly objects: readonly KubernetesObject[]
}

/** Components in combinations that no overlay has; the order is theirs. */
const combinations: readonly (readonly string[])[] = [
  ['rbac', 'hpa', 'hpa-streams'],
  ['keda'],
  ['rbac', 'stateful'],
  ['netpol', 'postgres'],
  ['gateway'],
  ['netpol', 'k6'],
  ['rbac', 'netpol', 'gpu'],
]

/**
 * Renders into `folder`, one file each.
 * @throws Error with what kubectl said
 */
export function renderAll(root: string, folder: string): readonly Rendered[] {
  const overlays = readdirSync(join(root, 'k8s/overlays')).sort()
  const trials = join(folder, 'combinations')
  rmSync(trials, { recursive: true, force: true })
  const made = combinations.map((components) => {
    const name = `base+${components.join('+')}`
    const at = join(trials, name)
    mkdirSync(at, { recursive: true })
    const from = (path: string): string => JSON.stringify(relative(at, join(root, 'k8s', path)))
    writeFileSync(
      join(at, 'kustomization.yaml'),
      [
        'namespace: stepflow-demo',
        `resources: [${from('base')}]`,
        `components: [${components.map((component) => from(`components/${component}`)).join(', ')}]`,
        '',
      ].join('\n'),
    )
    return { name, at }
  })
  const all = [...overlays.map((name) => ({ name, at: join(root, 'k8s/overlays', name) })), ...made]
  return all.map(({ name, at }) => {
    const text = execFileSync('kubectl', ['kustomize', at], { encoding: 'utf8', maxBuffer: 64 << 20 })
    const file = join(folder, `${name}.yaml`)
    writeFileSync(file, text)
    return { name, file, objects: parseAllDocuments(text).map((one) => one.toJS() as KubernetesObject) }
  })
}
