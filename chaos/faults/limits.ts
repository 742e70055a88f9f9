// Limits of a running process, set and taken back by util-linux's prlimit. No root: the pods are this user's.

import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Cluster } from '../../contracts/cluster.ts'
import { isGone } from './pods.ts'

const run = promisify(execFile)

let isThere: boolean | null = null

/** Null: limits can be set; else why not. */
export function limitsSupport({ hooks }: Cluster): string | null {
  if (hooks?.processId === undefined) return 'the pods run on other machines than this one'
  isThere ??=
    process.platform === 'linux' && spawnSync('prlimit', ['--version'], { stdio: 'ignore' }).status === 0
  return isThere ? null : 'this machine has no prlimit (util-linux)'
}

/** Sets the soft limit; `unlimited` raises it to the hard one's. A process that is gone is left alone. */
export async function setSoftLimit(
  pid: number,
  resource: 'as' | 'nofile',
  value: number | 'unlimited',
): Promise<void> {
  try {
    await run('prlimit', ['--pid', String(pid), `--${resource}=${value}:`], { timeout: 5_000 })
  } catch (error) {
    if (!isGone(pid)) throw error
  }
}

/** Address space of a process now, bytes. Throws where it is gone. */
export function addressSpace(pid: number): number {
  const kilobytes = /^VmSize:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes ?? 0) * 1024
}
