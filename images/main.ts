// `npm run images`: builds the images without any container engine and loads them into the cluster's nodes.
//
//   definitions.ts  what each image holds      debian.ts  the libraries Node needs
//   contents.ts     files to tar entries       load.ts    archives to nodes
//   tar.ts, oci.ts  entries to layers to an archive

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { readArgs } from '../contracts/args.ts'
import { GauntletError } from '../contracts/errors.ts'
import { exitCodes } from '../contracts/exit-codes.ts'
import { packageFiles, projectFiles } from './contents.ts'
import { type Architecture, type DebianPackage, debianLibraries } from './debian.ts'
import { baseEntries, definitions, nodeEntries, user } from './definitions.ts'
import { load, loaderFor, loaders } from './load.ts'
import { createImage, createLayer } from './oci.ts'
import type { TarEntry } from './tar.ts'

const root = join(import.meta.dirname, '..')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

const help = `Usage: npm run images -- [options]

Builds the container images from the project's files, the Node that npm installed and Debian's libraries; needs apt and
dpkg, and no container engine. The archives go to build/images, with images.json, which npm run deploy reads. The same
files give the same digests. Where a container engine is to be used instead: images/Dockerfile.

Options:
  --load auto|none|NAME   Put them into the nodes of the kubeconfig's current context: ${loaders.map(({ name }) => name).join(', ')}
                          [default auto: by the context's name]
  --architecture NAME     amd64 or arm64 [default: this machine's]
  --only NAME             Only this image: ${definitions.map(({ name }) => name).join(', ')}
  --root FOLDER           Write the first image's file tree there and build no archive (for the Dockerfile)
  --update                Write the libraries' versions to images/debian.json
  -h, --help              Print this text and exit
`

/** What images.json says of an image. */
interface BuiltImage {
  readonly name: string
  readonly tag: string
  readonly digest: string
  readonly bytes: number
  readonly archive: string
}

function main(): void {
  const { values } = readArgs({
    options: {
      load: { type: 'string', default: 'auto' },
      architecture: { type: 'string', default: process.arch === 'arm64' ? 'arm64' : 'amd64' },
      only: { type: 'string' },
      root: { type: 'string' },
      update: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  const architecture = architectureOf(values.architecture)
  const chosen = definitions.filter(({ name }) => values.only === undefined || name === values.only)
  const [first] = chosen
  if (first === undefined) {
    throw new GauntletError('ERR_FLAG_VALUE', `got ${values.only}`, {
      field: '--only',
      fix: `use ${definitions.map(({ name }) => name).join(' or ')}`,
    })
  }
  const out = join(root, 'build/images')
  const cache = join(out, 'cache')
  mkdirSync(cache, { recursive: true })
  const debian = debianLibraries(architecture, join(root, 'build/debian'))
  compareLock(architecture, debian.packages, values.update)
  const base = withParents([...baseEntries(), ...debian.entries])
  const node = nodeEntries(root, architecture)
  if (values.root !== undefined) {
    const files = projectFiles(root, first.files)
    writeTree(values.root, [...base, ...node, ...packageFiles(root, files), ...files])
    console.log(`file tree written to ${values.root}`)
    return
  }
  const built = chosen.map(({ name, files, command }): BuiltImage => {
    const startedAt = performance.now()
    const own = projectFiles(root, files)
    const image = createImage(
      [
        createLayer('Debian libraries', base, cache),
        createLayer('Node', node, cache),
        createLayer('packages', packageFiles(root, own)),
        createLayer('project', own),
      ],
      {
        architecture,
        user: `${user}:${user}`,
        workingDirectory: '/app',
        env: { PATH: '/usr/bin', NODE_ENV: 'production', HOME: '/tmp' },
        entrypoint: ['node'],
        command,
        labels: {
          'org.opencontainers.image.title': name,
          ...Object.fromEntries(
            Object.entries(debian.packages).map(([name, { version }]) => [`debian.${name}`, version]),
          ),
        },
      },
    )
    const tag = image.digest.slice('sha256:'.length).slice(0, 12)
    const archive = join(out, `${name}.tar`)
    writeFileSync(archive, image.archive([`${name}:${version}`, `${name}:${tag}`]))
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`${name}:${tag} ${image.digest} ${(image.bytes / 1e6).toFixed(1)} MB (${seconds} s)`)
    return { name, tag, digest: image.digest, bytes: image.bytes, archive: relative(root, archive) }
  })
  writeFileSync(join(out, 'images.json'), `${JSON.stringify(built, null, 2)}\n`)
  if (values.load !== 'none') loadAll(built, values.load, join(out, 'loaded.json'))
}

function architectureOf(name: string): Architecture {
  if (name === 'amd64' || name === 'arm64') return name
  throw new GauntletError('ERR_FLAG_VALUE', `got ${name}`, {
    field: '--architecture',
    fix: 'use amd64 or arm64',
  })
}

/** Says where Debian offers other versions than those that images/debian.json gives the digests for. */
function compareLock(
  architecture: Architecture,
  packages: Readonly<Record<string, DebianPackage>>,
  update: boolean,
): void {
  const file = join(root, 'images/debian.json')
  const lock = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as Record<
    string,
    typeof packages
  >
  const same = JSON.stringify(lock[architecture]) === JSON.stringify(packages)
  if (update) writeFileSync(file, `${JSON.stringify({ ...lock, [architecture]: packages }, null, 2)}\n`)
  else if (!same) {
    console.log(
      'the libraries differ from images/debian.json, so digests differ too; --update writes the new versions',
    )
  }
}

/** What was loaded into the same cluster before is not loaded again. */
function loadAll(built: readonly BuiltImage[], name: string, record: string): void {
  const cluster = currentCluster()
  if (cluster === null) {
    if (name !== 'auto') throw noCluster()
    console.log('not loaded into any node: kubectl reaches no cluster')
    return
  }
  const loader = name === 'auto' ? loaderFor(cluster.context) : loaders.find((one) => one.name === name)
  if (loader === undefined) {
    throw new GauntletError('ERR_FLAG_VALUE', `got ${name}`, {
      field: '--load',
      fix: `use auto, none, ${loaders.map(({ name }) => name).join(', ')}`,
    })
  }
  if (loader === null) {
    console.log(
      `not loaded: no loader is known for context ${cluster.context}; push them, or name one with --load`,
    )
    return
  }
  const loaded = (existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : {}) as Record<
    string,
    string[]
  >
  for (const { name, digest, archive } of built) {
    const known = loaded[cluster.uid] ?? []
    if (known.includes(digest)) {
      console.log(`${name}: loaded already`)
      continue
    }
    const startedAt = performance.now()
    load(loader, cluster.context, root, join(root, archive))
    loaded[cluster.uid] = [...known, digest]
    writeFileSync(record, JSON.stringify(loaded))
    console.log(
      `${name}: loaded by ${loader.name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
    )
  }
}

/** Context of the kubeconfig, and what tells its cluster from another of the same name. */
function currentCluster(): { readonly context: string; readonly uid: string } | null {
  const kubectl = (...args: string[]): string =>
    execFileSync('kubectl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return {
      context: kubectl('config', 'current-context'),
      uid: kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}'),
    }
  } catch {
    return null
  }
}

function noCluster(): GauntletError {
  return new GauntletError('ERR_ENVIRONMENT', 'kubectl reaches no cluster', {
    field: '--load',
    fix: 'set KUBECONFIG, or leave --load out',
  })
}

/** Adds the folders that entries stand in, each before what it holds. */
function withParents(entries: readonly TarEntry[]): readonly TarEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  for (const { path } of entries) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      if (!byPath.has(folder)) byPath.set(folder, { kind: 'folder', path: folder, mode: 0o755 })
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function writeTree(target: string, entries: readonly TarEntry[]): void {
  rmSync(target, { recursive: true, force: true })
  for (const entry of withParents(entries)) {
    const path = join(target, entry.path)
    if (entry.kind === 'folder') mkdirSync(path, { recursive: true, mode: entry.mode })
    else if (entry.kind === 'link') symlinkSync(entry.target, path)
    else writeFileSync(path, entry.data, { mode: entry.mode })
  }
}

try {
  main()
} catch (error) {
  process.stderr.write(
    `${error instanceof GauntletError ? `error: ${error.message}` : (error as Error).stack}\n`,
  )
  process.exitCode = error instanceof GauntletError ? exitCodes.usage : exitCodes.harness
}
