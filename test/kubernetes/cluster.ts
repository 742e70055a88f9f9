// A real cluster for the tests: the kubeconfig's own, or the kit that may stand beside the project; else why there is none.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { skipUnless } from '../skip.ts'

export const root = join(import.meta.dirname, '../..')

/** Environment of commands that use the cluster; null with the reason where there is no cluster. */
export const { env, reason } = findCluster()

/** What tap's `skip` takes; REQUIRE=kubernetes makes it a failure. */
export const skip = skipUnless('kubernetes', reason)

/** Runs a command of the project; its output goes into the error where it fails. */
export function run(
  command: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    env: { ...env, ...more },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  if (status === 0) return stdout
  throw new Error(
    `${command} ${args.join(' ')}: exit code ${status}\n${stdout.slice(-4_000)}\n${stderr.slice(-4_000)}`,
  )
}

function findCluster(): { readonly env: NodeJS.ProcessEnv; readonly reason: string | null } {
  const own = usable(process.env)
  if (own === null) return { env: process.env, reason: null }
  const kit = join(root, '../shared/kube/up')
  if (!existsSync(kit)) return { env: process.env, reason: own }
  if (process.getuid?.() !== 0) return { env: process.env, reason: `${own}, and the kit needs root` }
  const { status, stdout, stderr } = spawnSync(kit, [], { encoding: 'utf8', timeout: 180_000 })
  if (status !== 0) return { env: process.env, reason: `${own}, and the kit: ${stderr.trim().slice(-300)}` }
  // This process uses the cluster too, so its own environment gets them.
  for (const [, name = '', value = ''] of stdout.matchAll(/\bexport (\w+)=(\S+)/g)) {
    process.env[name] = value.replaceAll('"', '').replace('$PATH', process.env['PATH'] ?? '')
  }
  return { env: process.env, reason: usable(process.env) }
}

/** Null: kubectl reaches a cluster; else why not. */
function usable(env: NodeJS.ProcessEnv): string | null {
  const { status, stderr, error } = spawnSync(
    'kubectl',
    ['get', '--raw', '/readyz', '--request-timeout=5s'],
    {
      env,
      encoding: 'utf8',
    },
  )
  if (status === 0) return null
  return error === undefined
    ? `kubectl reaches no cluster: ${stderr.trim().slice(-200)}`
    : 'there is no kubectl'
}
