// CPU quotas by control groups, where this machine lets us make one (root, or a delegated group). Linux, version 1.

import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const controller = '/sys/fs/cgroup/cpu'
const periodUs = 100_000

export function canLimitCpu(): boolean {
  try {
    accessSync(controller, constants.W_OK)
    return existsSync(join(controller, 'cpu.cfs_quota_us'))
  } catch {
    return false
  }
}

export interface CpuGroup {
  readonly path: string
  /** Makes the group and moves the processes into it. `share`: of one core. */
  limit(pids: readonly number[], share: number): void
  /** How often its processes had to stand still. */
  throttled(): number
  /** Moves them back and removes the group; idempotent. */
  remove(): void
}

export function cpuGroup(name: string): CpuGroup {
  const path = join(controller, name)
  const write = (file: string, text: string): void => writeFileSync(join(path, file), text)
  return {
    path,
    limit(pids, share) {
      mkdirSync(path, { recursive: true })
      write('cpu.cfs_period_us', String(periodUs))
      write('cpu.cfs_quota_us', String(Math.max(1_000, Math.round(share * periodUs))))
      for (const pid of pids) write('cgroup.procs', String(pid))
    },
    throttled() {
      const line = /nr_throttled (\d+)/.exec(readFileSync(join(path, 'cpu.stat'), 'utf8'))
      return Number(line?.[1] ?? 0)
    },
    remove: () => removeCgroup(path),
  }
}

/** Moves what is in a group to its parent and removes it; idempotent. */
export function removeCgroup(path: string): void {
  if (!existsSync(path)) return
  for (const pid of readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n')) {
    try {
      if (pid !== '') writeFileSync(join(path, '../cgroup.procs'), pid)
    } catch {
      // Gone meanwhile.
    }
  }
  rmdirSync(path)
}
