// The real parts of Stepflow 0.9.0, from PyPI, in a virtual environment that is built once and kept.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { hasParentDeathSignal } from '../../harness/cluster/local/launch.ts'
import { skipUnless } from '../skip.ts'

/** The two parts and what they import without asking for it. */
const requirements = [
  'stepflow-orchestrator==0.9.0',
  'stepflow-py==0.9.0',
  ...['fastapi', 'uvicorn', 'urllib3', 'python-dateutil', 'pydantic'],
]

/** ms that pip may take to fetch and unpack some 130 MB. */
const installTimeoutMs = 300_000

export interface RealStepflow {
  /** The interpreter that has both packages. */
  readonly python: string
  /** The runtime's binary. */
  readonly server: string
}

/** What tap's `skip` takes, and the programs; `real` may only be called where it does not skip. */
export interface FoundStepflow {
  readonly skip: string | false
  readonly real: () => RealStepflow
}

/**
 * Finds the environment or builds it: `$XDG_CACHE_HOME/stepflow-gauntlet/interop-<hash of versions>`. Where that
 * cannot be done the tests skip with the reason.
 * @throws Error where REQUIRE names interop and it cannot be done
 */
export async function findStepflow(): Promise<FoundStepflow> {
  const found = await findOrBuild()
  const skip = skipUnless('interop', typeof found === 'string' ? found : null)
  return {
    skip,
    real: () => {
      if (typeof found === 'string') throw new Error(found)
      return found
    },
  }
}

/** The programs, or why there are none. */
async function findOrBuild(): Promise<RealStepflow | string> {
  if (!hasParentDeathSignal()) {
    return 'no setpriv of util-linux, without which a real program could outlive its test'
  }
  const version = await output('python3', [
    '-c',
    'import sys, platform; print(sys.version, platform.machine())',
  ])
  if (!version.ok) return `no python3: ${version.said}`
  const key = createHash('sha256')
    .update(JSON.stringify([requirements, version.said]))
    .digest('hex')
    .slice(0, 16)
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const home = join(cache, 'stepflow-gauntlet', `interop-${key}`)
  if (!existsSync(home)) {
    const problem = await build(join(cache, 'stepflow-gauntlet'), home)
    if (problem !== null) return problem
  }
  const python = join(home, 'bin/python')
  const [server] = globSync(join(home, 'lib/python*/site-packages/stepflow_orchestrator/bin/stepflow-server'))
  if (server === undefined) return `the environment ${home} is broken: remove it`
  return { python, server }
}

/** Builds beside `home` and moves there, so that it is whole or absent, whoever builds at the same time. */
async function build(folder: string, home: string): Promise<string | null> {
  await mkdir(folder, { recursive: true })
  const draft = await mkdtemp(`${home}-`)
  try {
    const created = await output('python3', ['-m', 'venv', draft])
    if (!created.ok) return `python3 has no venv (Debian: apt-get install python3-venv): ${created.said}`
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1']
    const installed = await output(join(draft, 'bin/python'), [...install, ...requirements])
    if (!installed.ok) return `PyPI gives no Stepflow 0.9.0 here: ${installed.said}`
    await rename(draft, home).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    return null
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Standard output of a command that ended well, else the last line of what it complained of. */
async function output(command: string, args: readonly string[]): Promise<{ ok: boolean; said: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: installTimeoutMs })
  let said = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const code = await once(child, 'close').then(
    ([code, signal]) => (code as number | null) ?? String(signal),
    (error: unknown) => String(error),
  )
  if (code === 0) return { ok: true, said: said.trim() }
  return { ok: false, said: (complaint || said).trim().split('\n').at(-1) || String(code) }
}
