// What goes into an image: the programs' own files, and of node_modules the packages that these import.

import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { GauntletError } from '../contracts/errors.ts'
import type { TarEntry } from './tar.ts'

/** Files of a package that no program reads. */
const unread =
  /^(docs?|tests?|__tests__|examples?|benchmarks?|\.github)\/|\.(md|markdown|map|d\.ts|d\.cts|d\.mts|tsbuildinfo|flow)$|(^|\/)(CHANGELOG|README|tsconfig\.json|\.[^/]+)$/i

/** Files of the project that only its tests read. */
const ofTests = /\.(test|spec)\.ts$|(^|\/)testing\//

const importPattern = /(?:\sfrom\s|\bimport\s|\bimport\(\s*)\s*['"]([^.'"/][^'"]*)['"]/g

/**
 * Files below `root` that match the patterns, as entries under `/app`; what belongs to tests stays out.
 * @throws GauntletError ERR_CONFIG_FIELD where a pattern matches nothing
 */
export function projectFiles(root: string, patterns: readonly string[]): readonly TarEntry[] {
  const paths = patterns.flatMap((pattern) => {
    const found = globSync(pattern, { cwd: root }).filter(
      (path) => !ofTests.test(path) && statSync(join(root, path)).isFile(),
    )
    if (found.length > 0) return found
    throw new GauntletError('ERR_CONFIG_FIELD', 'matches no file', {
      field: pattern,
      fix: 'correct it in images/definitions.ts',
    })
  })
  return withFolders(root, [...new Set(paths)], 'app')
}

/** The packages that the files import, with all that these depend on, as entries under `/app/node_modules`. */
export function packageFiles(root: string, sources: readonly TarEntry[]): readonly TarEntry[] {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const folders = new Set<string>()
  for (const entry of sources) {
    if (entry.kind !== 'file' || !/\.m?[jt]s$/.test(entry.path)) continue
    for (const name of importedPackages(Buffer.from(entry.data).toString())) {
      if (name in dependencies) addPackage(root, root, name, folders)
    }
  }
  const paths = [...folders].flatMap((folder) =>
    globSync('**/*', { cwd: join(root, folder), exclude: (name) => name === 'node_modules' })
      .filter((path) => !unread.test(path) && statSync(join(root, folder, path)).isFile())
      .map((path) => join(folder, path)),
  )
  return withFolders(root, [...new Set(paths)], 'app')
}

/** Names of packages that a source text imports: `@a/b` of `@a/b/c.js`. */
export function importedPackages(text: string): readonly string[] {
  const names = [...text.matchAll(importPattern)].map((match) => {
    const [scope = '', name] = (match[1] ?? '').split('/')
    return scope.startsWith('@') ? `${scope}/${name}` : scope
  })
  return [...new Set(names)].filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
}

/** Adds a package and what it depends on, found as Node finds it: the nearest node_modules upwards. */
function addPackage(root: string, from: string, name: string, folders: Set<string>): void {
  const folder = findPackage(root, from, name)
  // An optional peer that is not installed, or a name within a comment.
  if (folder === null || folders.has(folder)) return
  folders.add(folder)
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
  }
  for (const needed of Object.keys(manifest.dependencies ?? {})) {
    if (!needed.startsWith('@types/')) addPackage(root, join(root, folder), needed, folders)
  }
}

function findPackage(root: string, from: string, name: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return candidate.slice(root.length + 1)
    if (folder === root) return null
  }
}

/** Files and the folders they stand in, sorted, under `prefix`. Modes are set: a checkout's depend on its umask. */
function withFolders(root: string, paths: readonly string[], prefix: string): readonly TarEntry[] {
  const folders = new Set<string>([prefix])
  for (const path of paths) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder))
      folders.add(`${prefix}/${folder}`)
  }
  const entries: TarEntry[] = [
    ...[...folders].map((path): TarEntry => ({ kind: 'folder', path, mode: 0o755 })),
    ...paths.map(
      (path): TarEntry => ({
        kind: 'file',
        path: `${prefix}/${path}`,
        mode: 0o644,
        data: readFileSync(join(root, path)),
      }),
    ),
  ]
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
}
