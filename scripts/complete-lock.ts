// Completes package-lock.json with the optional packages of other platforms that a registry mirror did not offer when
// it was written; without them `npm ci` refuses the lock everywhere. `--check` only says whether any is missing.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface LockedPackage {
  version?: string
  optional?: boolean
  dev?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

interface Lock {
  packages: Record<string, LockedPackage>
}

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const processors = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'x64',
  'wasm32',
]

/** Entries that the lock lacks: an optional dependency with an exact version, not locked anywhere above its user. */
export function missingEntries(lock: Lock): Readonly<Record<string, LockedPackage>> {
  const missing: Record<string, LockedPackage> = {}
  for (const [path, user] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(user.optionalDependencies ?? {})) {
      const isExact = /^\d+\.\d+\.\d+[\w.-]*$/.test(version)
      if (!isExact || isLocked(lock, path, name)) continue
      missing[`node_modules/${name}`] = {
        version,
        ...(user.dev === true ? { dev: true } : {}),
        optional: true,
        ...platformOf(name),
      }
    }
  }
  return missing
}

/** npm looks for a dependency beside its user, then in each folder above. */
function isLocked(lock: Lock, user: string, name: string): boolean {
  for (let folder = user; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true
    if (folder === '' || !folder.includes('/node_modules/')) {
      return lock.packages[`node_modules/${name}`] !== undefined
    }
  }
}

/** By convention the name of such a package says where it runs: `@scope/binding-linux-arm64-musl`. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[/-]/)
  const os = systems.find((system) => words.includes(system))
  const cpu = processors.find((processor) => words.includes(processor))
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined
  return {
    ...(os === undefined ? {} : { os: [os] }),
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(libc === undefined || os !== 'linux' ? {} : { libc: [libc] }),
  }
}

if (import.meta.main) {
  const file = join(import.meta.dirname, '../package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock
  const missing = missingEntries(lock)
  const names = Object.keys(missing)
  if (process.argv.includes('--check')) {
    for (const name of names)
      console.error(`package-lock.json: ${name} is missing: node scripts/complete-lock.ts`)
    process.exitCode = names.length === 0 ? 0 : 1
  } else if (names.length > 0) {
    const sorted = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) =>
      a < b ? -1 : a > b ? 1 : 0,
    )
    writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
  }
  console.log(
    `lock file: ${Object.keys(lock.packages).length} packages, ${names.length} ${process.argv.includes('--check') ? 'missing' : 'added'}`,
  )
}
