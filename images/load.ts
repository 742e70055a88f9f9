// Puts image archives into a cluster's nodes: one way for each kind of cluster, chosen by the kubeconfig's context.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { GauntletError } from '../contracts/errors.ts'

/** Where archives go. */
export interface Loader {
  readonly name: string
  /** Whether contexts of that name are its clusters. */
  readonly serves: (context: string) => boolean
  /** Program with its arguments, the archive's path excepted, which comes last. */
  readonly command: (context: string, root: string) => readonly [string, ...string[]]
}

export const loaders: readonly Loader[] = [
  {
    name: 'kubekit',
    serves: (context) => context === 'kubekit',
    command: (_context, root) => [kit(root, 'load-image')],
  },
  {
    name: 'kind',
    serves: (context) => context.startsWith('kind-'),
    command: (context) => ['kind', 'load', 'image-archive', '--name', context.slice('kind-'.length)],
  },
  {
    name: 'k3d',
    serves: (context) => context.startsWith('k3d-'),
    command: (context) => ['k3d', 'image', 'import', '--cluster', context.slice('k3d-'.length)],
  },
  {
    name: 'minikube',
    serves: (context) => context === 'minikube',
    command: () => ['minikube', 'image', 'load'],
  },
  {
    name: 'docker',
    serves: (context) => context === 'docker-desktop',
    command: () => ['docker', 'load', '-i'],
  },
  {
    name: 'nerdctl',
    serves: (context) => context === 'rancher-desktop',
    command: () => ['nerdctl', '--namespace', 'k8s.io', 'load', '-i'],
  },
  { name: 'podman', serves: () => false, command: () => ['podman', 'load', '-i'] },
  {
    name: 'k3s',
    serves: () => false,
    command: () => ['k3s', 'ctr', '--namespace', 'k8s.io', 'images', 'import'],
  },
  {
    name: 'containerd',
    serves: () => false,
    command: () => ['ctr', '--namespace', 'k8s.io', 'images', 'import'],
  },
]

/** The kit of a single-node cluster that may stand beside the project. */
function kit(root: string, program: string): string {
  return join(root, '../shared/kube', program)
}

/** The loader of a context; null where its nodes pull from a registry. */
export function loaderFor(context: string): Loader | null {
  return loaders.find(({ serves }) => serves(context)) ?? null
}

/**
 * Loads an archive.
 * @throws GauntletError ERR_ENVIRONMENT with what the loader said
 */
export function load(loader: Loader, context: string, root: string, archive: string): void {
  const [program, ...args] = loader.command(context, root)
  if (program.includes('/') && !existsSync(program)) {
    throw new GauntletError('ERR_ENVIRONMENT', 'is not there', {
      field: program,
      fix: 'name another loader with --load',
    })
  }
  const { status, stderr, error } = spawnSync(program, [...args, archive], { encoding: 'utf8' })
  if (status === 0) return
  throw new GauntletError(
    'ERR_ENVIRONMENT',
    `failed: ${stderr?.trim() || error?.message || `exit code ${status}`}`,
    {
      field: `${program} ${args.join(' ')}`,
      fix: 'see that the cluster runs, or name another loader with --load',
    },
  )
}
