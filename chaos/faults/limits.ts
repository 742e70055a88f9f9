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

export type Resource = 'as' | 'nofile'

/** The kernel's name of each in /proc/<pid>/limits. */
const kernelNames: Readonly<Record<Resource, string>> = {
  as: 'Max address space',
  nofile: 'Max open files',
}

/** A soft limit of a process, in bytes or files; null: unlimited, or it is gone. Linux. */
export function softLimit(pid: number, resource: Resource): number | null {
  try {
    const line = readFileSync(`/proc/${pid}/limits`, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(kernelNames[resource]))
    const value = Number(line?.slice(26).trim().split(/\s+/)[0])
    return Number.isFinite(value) ? value : null
  } catch {
    return null
  }
}

/** Throws where the process is gone: what ended before it was limited did not end by the limit. */
export async function setSoftLimit(pid: number, resource: Resource, value: number): Promise<void> {
  if (isGone(pid)) throw new Error(`process ${pid} is gone`)
  await prlimit(pid, resource, String(value))
}

/**
 * Puts back what `softLimit` gave before: not just `unlimited`, which the kernel refuses under a hard limit of the
 * user's. A process that is gone is left alone.
 */
export async function liftSoftLimit(pid: number, resource: Resource, before: number | null): Promise<void> {
  if (isGone(pid)) return
  try {
    await prlimit(pid, resource, before === null ? 'unlimited' : String(before))
  } catch (error) {
    if (!isGone(pid)) throw error
  }
}

async function prlimit(pid: number, resource: Resource, soft: string): Promise<void> {
  await run('prlimit', ['--pid', String(pid), `--${resource}=${soft}:`], { timeout: 5_000 })
}

/** Address space of a process now, bytes. Throws where it is gone. */
export function addressSpace(pid: number): number {
  const kilobytes = /^VmSize:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  // A zombie has none; half of 0 would be a limit that nobody feels.
  if (kilobytes === undefined) throw new Error(`process ${pid} is gone`)
  return Number(kilobytes) * 1024
}
