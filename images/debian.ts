// The shared libraries that Node needs, taken from Debian's packages: nothing of the machine goes into an image.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { GauntletError } from '../contracts/errors.ts'
import type { TarEntry } from './tar.ts'

export type Architecture = 'amd64' | 'arm64'

/** A package as images/debian.json records it. */
export interface DebianPackage {
  readonly version: string
  readonly sha256: string
}

export interface DebianFiles {
  readonly entries: readonly TarEntry[]
  readonly packages: Readonly<Record<string, DebianPackage>>
}

/** Package name, and the libraries that are taken from it. */
const libraries: Readonly<Record<string, readonly string[]>> = {
  libc6: ['libc.so.6', 'libdl.so.2', 'libm.so.6', 'libpthread.so.0', 'ld-linux-*.so.*'],
  'libgcc-s1': ['libgcc_s.so.1'],
  'libstdc++6': ['libstdc++.so.6', 'libstdc++.so.6.*'],
}

/**
 * Downloads the packages with apt into `folder` (kept for the next time) and takes the libraries out.
 * @throws GauntletError ERR_ENVIRONMENT where apt or the packages are not to be had
 */
export function debianLibraries(architecture: Architecture, folder: string): DebianFiles {
  const unpacked = join(folder, 'unpacked')
  mkdirSync(folder, { recursive: true })
  rmSync(unpacked, { recursive: true, force: true })
  const packages: Record<string, DebianPackage> = {}
  const entries: TarEntry[] = []
  for (const [name, files] of Object.entries(libraries)) {
    const archive = download(name, architecture, folder)
    const target = join(unpacked, name)
    mkdirSync(target, { recursive: true })
    run('dpkg-deb', ['--extract', archive, target])
    packages[name] = {
      version: run('dpkg-deb', ['--field', archive, 'Version']).trim(),
      sha256: createHash('sha256').update(readFileSync(archive)).digest('hex'),
    }
    for (const file of files) entries.push(...libraryEntries(target, name, file))
  }
  rmSync(unpacked, { recursive: true, force: true })
  return { entries, packages }
}

/** Files of a package by name, wherever Debian's multi-architecture layout has put them. */
function libraryEntries(target: string, packageName: string, pattern: string): readonly TarEntry[] {
  const found = globSync(`**/${pattern}`, { cwd: target })
    .filter((path) => !lstatSync(join(target, path)).isDirectory() && !path.endsWith('.py'))
    .sort()
  if (found.length === 0) {
    throw new GauntletError('ERR_ENVIRONMENT', `the package holds no ${pattern}`, {
      field: packageName,
      fix: 'use Debian 12',
    })
  }
  return found.map((path): TarEntry => {
    const file = join(target, path)
    return lstatSync(file).isSymbolicLink()
      ? { kind: 'link', path, target: readlinkSync(file) }
      : { kind: 'file', path, mode: 0o755, data: readFileSync(file) }
  })
}

/** What is in the folder already is only looked at again when apt offers another version. */
function download(name: string, architecture: Architecture, folder: string): string {
  const wanted = `${name}:${architecture}`
  const known = (): string | undefined =>
    readdirSync(folder).find((file) => file.startsWith(`${name}_`) && file.endsWith(`_${architecture}.deb`))
  const kept = known()
  if (kept !== undefined) return join(folder, kept)
  const { status, stderr } = spawnSync('apt-get', ['download', wanted], { cwd: folder, encoding: 'utf8' })
  const file = known()
  if (status === 0 && file !== undefined) return join(folder, file)
  throw new GauntletError('ERR_ENVIRONMENT', `cannot download ${wanted}: ${stderr?.trim() || 'no apt-get'}`, {
    field: 'npm run images',
    fix: 'run apt-get update first, on Debian 12, or build images/Dockerfile with any container engine',
  })
}

function run(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    throw new GauntletError('ERR_ENVIRONMENT', `${command} ${args.join(' ')} failed`, {
      fix: 'install dpkg, or build images/Dockerfile with any container engine',
      cause: error,
    })
  }
}
